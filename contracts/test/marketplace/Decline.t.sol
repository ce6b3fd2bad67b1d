// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract DeclineTest is Market {
    function testFuzz_ThePriceGoesBackWholeAndTheBondIsFreed(uint8 why) external {
        Life memory life = reach(PLACED);
        IMarketplace.DeclineReason reason = IMarketplace.DeclineReason(why % 6);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderDeclined(life.id, reason);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRefunded(life.id, IBooks.Reason.Declined);
        vm.prank(provider);
        rules.decline(life.head, life.membersHash, life.order, reason);
        assertStands(life, REFUNDED, IBooks.Reason.Declined);
        vm.assertEq(deadline(life), 0, "deadline");
        assertMoney(life, life.head.bond, price(life), 0);
    }

    function test_TheRhoStaysSpent() external {
        decline(reach(PLACED));
        vm.assertEq(rules.getDataset(dataset).used, RHO, "used");
    }

    function test_OnlyTheLeadDeclines() external {
        Life memory life = pooled();
        bring(life, PLACED);
        address member = life.members[partner(life)].provider;
        refusedLead(life, member);
        vm.prank(member);
        rules.decline(life.head, life.membersHash, life.order, IMarketplace.DeclineReason.Rules);
    }

    function test_TheLeadDeclinesToTheLastSecondAndNotAfter() external {
        Life memory life = reach(PLACED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        decline(life);
        vm.warp(deadline(life));
        decline(life);
    }

    function testFuzz_NoOtherStateCanBeDeclined(uint256 seed) external {
        Life memory life = reachOther(seed, PLACED, PLACED);
        refusedState(life, PLACED);
        decline(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(PLACED);
        refusedOffer(life);
        decline(life);
    }
}
