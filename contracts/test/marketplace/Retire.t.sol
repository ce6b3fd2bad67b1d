// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract RetireTest is Market {
    function test_TheLeadRetiresAnOffer() external {
        Life memory life = usual();
        publish(life);
        vm.expectEmit(address(rules));
        emit IMarketplace.OfferRetired(life.order.offer, provider);
        retire(life, 0, provider);
        vm.assertTrue(rules.getOffer(life.order.offer).retired, "retired");
    }

    function testFuzz_AnyMemberRetiresAnOffer(uint256 count, uint256 index) external {
        Life memory life = draft(usualHead(), pool(between(count, 1, 16)));
        index = between(index, 0, life.members.length - 1);
        publish(life);
        address member = life.members[index].provider;
        vm.expectEmit(address(rules));
        emit IMarketplace.OfferRetired(life.order.offer, member);
        retire(life, index, member);
    }

    function test_OrdersThatArePlacedGoOn() external {
        Life memory life = reach(PLACED);
        retire(life, 0, provider);
        deliver(life);
        accept(life);
        reveal(life);
        settle(life, buyer);
        assertMoney(life, life.head.bond, 0, price(life));
    }

    function test_NobodyElseRetiresAnOffer() external {
        Life memory life = pooled();
        publish(life);
        bytes32 offer = life.order.offer;
        refused(abi.encodeWithSelector(IMarketplace.NotAMember.selector, offer, 0, stranger));
        retire(life, 0, stranger);
        address member = life.members[1].provider;
        refused(abi.encodeWithSelector(IMarketplace.NotAMember.selector, offer, 0, member));
        retire(life, 0, member);
    }

    function test_AMemberThatThereIsNotIsRefused() external {
        Life memory life = usual();
        publish(life);
        refused(abi.encodeWithSelector(IMarketplace.UnknownMember.selector, life.order.offer, 1));
        retire(life, 1, provider);
    }

    function test_AnOfferIsRetiredOnce() external {
        Life memory life = usual();
        publish(life);
        retire(life, 0, provider);
        refused(abi.encodeWithSelector(IMarketplace.OfferIsRetired.selector, life.order.offer));
        retire(life, 0, provider);
    }

    function test_AnOfferThatIsNotPublishedIsRefused() external {
        Life memory life = usual();
        refused(abi.encodeWithSelector(IMarketplace.UnknownOffer.selector, life.order.offer));
        retire(life, 0, provider);
    }

    function retire(Life memory life, uint256 index, address by) private {
        vm.prank(by);
        rules.retire(life.head, life.members, index);
    }
}
