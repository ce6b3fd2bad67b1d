// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract RejectTest is Market {
    function testFuzz_ThePriceGoesBackLessTheComputeFee(uint96 cost, uint16 feeBps) external {
        Life memory life = usual();
        (life.head.cost, life.head.margin) = (uint128(between(cost, 1, 1_000_000 * EURO)), 0);
        life.head.computeFeeBps = uint16(between(feeBps, 0, 1_000));
        rename(life);
        bring(life, DELIVERED);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRefunded(life.id, IBooks.Reason.Rejected);
        reject(life);
        assertStands(life, REFUNDED, IBooks.Reason.Rejected);
        assertMoney(life, life.head.bond, price(life) - computeFee(life), computeFee(life));
    }

    function test_TheRhoStaysSpent() external {
        reject(reach(DELIVERED));
        vm.assertEq(rules.getDataset(dataset).used, RHO, "used");
    }

    function test_AnotherDeliveryIsNotRejected() external {
        Life memory life = reach(DELIVERED);
        refused(abi.encodeWithSelector(IMarketplace.WrongDelivery.selector, life.id, life.digest, OTHER));
        vm.prank(buyer);
        rules.reject(life.head, life.membersHash, life.order, OTHER);
    }

    function test_OnlyTheBuyerRejects() external {
        Life memory life = reach(DELIVERED);
        refusedBuyer(life, provider);
        vm.prank(provider);
        rules.reject(life.head, life.membersHash, life.order, life.digest);
    }

    function test_TheBuyerRejectsToTheLastSecondAndNotAfter() external {
        Life memory life = reach(DELIVERED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        reject(life);
        vm.warp(deadline(life));
        reject(life);
    }

    function testFuzz_NoOtherStateCanBeRejected(uint256 seed) external {
        Life memory life = reachOther(seed, DELIVERED, DELIVERED);
        refusedState(life, DELIVERED);
        reject(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(DELIVERED);
        refusedOffer(life);
        reject(life);
    }
}
