// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract ReleaseTest is Market {
    function test_ADeclinedOrdersRhoIsGivenBack() external {
        Life memory life = reach(PLACED);
        decline(life);
        vm.expectEmit(address(rules));
        emit IMarketplace.RhoReleased(life.id, dataset, RHO);
        release(life, 0);
        vm.assertEq(rules.getDataset(dataset).used, 0, "used");
        vm.assertEq(standing(life).released, 1, "released");
    }

    function test_AnOrderThatLapsedIsReleasedToo() external {
        Life memory life = reach(PLACED);
        vm.warp(deadline(life) + 1);
        refund(life);
        release(life, 0);
        vm.assertEq(rules.getDataset(dataset).used, 0, "used");
    }

    function test_AnExactOrderGivesItsPlaceBack() external {
        Life memory life = exact();
        bring(life, PLACED);
        decline(life);
        vm.expectEmit(address(rules));
        emit IMarketplace.ExactReleased(life.id, dataset);
        release(life, 0);
        vm.assertEq(rules.getDataset(dataset).exactUsed, 0, "used");
    }

    function testFuzz_EveryMemberReleasesItsOwn(uint256 count, uint16 which) external {
        IBooks.Member[] memory members = pool(between(count, 1, 16));
        for (uint256 i = 0; i < members.length; i++) {
            members[i].rhoMicro = uint64(i + 1);
        }
        Life memory life = draft(usualHead(), members);
        bring(life, PLACED);
        decline(life);
        which = uint16(which & (uint256(1) << members.length) - 1);
        for (uint256 i = 0; i < members.length; i++) {
            bool its = which >> i & 1 == 1;
            if (its) release(life, i);
            vm.assertEq(rules.getDataset(members[i].dataset).used, its ? 0 : i + 1, "used");
        }
        vm.assertEq(standing(life).released, which, "released");
    }

    function test_NothingIsReleasedTwice() external {
        Life memory life = reach(PLACED);
        decline(life);
        release(life, 0);
        refused(abi.encodeWithSelector(IMarketplace.AlreadyReleased.selector, life.id, 0));
        release(life, 0);
    }

    function test_AnOrderThatIsOpenIsNotReleased() external {
        refusedRelease(reach(PLACED));
    }

    function test_AnOrderThatWasDeliveredIsNotReleased() external {
        Life memory life = reach(DELIVERED);
        refusedRelease(life);
        vm.warp(deadline(life) + 1);
        refund(life);
        refusedRelease(life);
    }

    function test_AnOrderThatWasRejectedIsNotReleased() external {
        refusedRelease(reach(REFUNDED));
    }

    function testFuzz_NoOtherEndIsReleased(uint256 seed) external {
        refusedRelease(reachOther(seed, REFUNDED, REFUNDED));
    }

    function test_AnOrderThatAnArbiterRefundedIsNotReleased() external {
        Life memory life = reach(CONTESTED);
        rule(life, 0, 0);
        refusedRelease(life);
    }

    function test_StockIsNotReleased() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        publishStock(life, origin);
        place(life);
        decline(life);
        refusedRelease(life);
        vm.assertEq(rules.getDataset(dataset).used, RHO, "used");
    }

    function test_OnlyTheDatasetsProviderReleasesIt() external {
        Life memory life = pooled();
        bring(life, PLACED);
        decline(life);
        uint256 index = partner(life);
        bytes32 its = life.members[index].dataset;
        refused(abi.encodeWithSelector(IMarketplace.NotTheProvider.selector, its, provider));
        vm.prank(provider);
        rules.release(life.head, life.members, life.order, index);
    }

    function test_AMemberThatThereIsNotIsRefused() external {
        Life memory life = reach(PLACED);
        decline(life);
        refused(abi.encodeWithSelector(IMarketplace.UnknownMember.selector, life.order.offer, 1));
        vm.prank(provider);
        rules.release(life.head, life.members, life.order, 1);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(PLACED);
        decline(life);
        refusedOffer(life);
        release(life, 0);
    }

    function refusedRelease(Life memory life) private {
        IBooks.Standing memory found = standing(life);
        bytes4 selector = IMarketplace.NotReleasable.selector;
        refused(abi.encodeWithSelector(selector, life.id, found.state, found.reason));
        release(life, 0);
    }
}
