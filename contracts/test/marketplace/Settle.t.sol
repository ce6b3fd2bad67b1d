// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract SettleTest is Market {
    function test_TheBuyerSettlesAtOnce() external {
        Life memory life = reach(REVEALED);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderSettled(life.id, IBooks.Reason.Approved);
        settle(life, buyer);
        assertStands(life, SETTLED, IBooks.Reason.Approved);
        vm.assertEq(deadline(life), 0, "deadline");
        assertMoney(life, life.head.bond, 0, price(life));
    }

    function test_TheBuyerSettlesAfterTheWindowToo() external {
        Life memory life = reach(REVEALED);
        vm.warp(deadline(life) + 1);
        settle(life, buyer);
        assertStands(life, SETTLED, IBooks.Reason.Approved);
    }

    function test_EveryoneElseWaitsForTheEndOfTheWindow() external {
        Life memory life = reach(REVEALED);
        vm.warp(deadline(life));
        refusedEarly(life);
        settle(life, provider);
        vm.warp(deadline(life) + 1);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderSettled(life.id, IBooks.Reason.Unchallenged);
        settle(life, stranger);
        assertStands(life, SETTLED, IBooks.Reason.Unchallenged);
        assertMoney(life, life.head.bond, 0, price(life));
    }

    function test_EvenTheBuyerWaitsForTheArbiter() external {
        Life memory life = reach(CONTESTED);
        vm.warp(deadline(life));
        refusedEarly(life);
        settle(life, buyer);
    }

    function test_ASilentArbiterLeavesThePriceToTheProvidersAndTheDepositToTheBuyer() external {
        Life memory life = reach(CONTESTED);
        vm.warp(deadline(life) + 1);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderSettled(life.id, IBooks.Reason.NotRuled);
        settle(life, stranger);
        assertStands(life, SETTLED, IBooks.Reason.NotRuled);
        assertMoney(life, life.head.bond, life.head.contestDeposit, price(life));
        vm.assertEq(credit(arbiter), 0, "the arbiter's credit");
    }

    function test_TheBuyerOfAContestedOrderDoesNotApproveItAfterwards() external {
        Life memory life = reach(CONTESTED);
        vm.warp(deadline(life) + 1);
        settle(life, buyer);
        assertStands(life, SETTLED, IBooks.Reason.NotRuled);
    }

    function testFuzz_NoOtherStateCanBeSettled(uint256 seed) external {
        Life memory life = reachOther(seed, REVEALED, CONTESTED);
        refusedState(life, REVEALED);
        settle(life, buyer);
        refusedState(life, REVEALED);
        settle(life, stranger);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(REVEALED);
        refusedOffer(life);
        settle(life, buyer);
    }

    function testFuzz_WhatIsEarnedAddsUp(uint96 first, uint96 second) external {
        Life memory life = usual();
        (life.head.cost, life.head.margin) = (first / 2, second / 2);
        if (price(life) == 0) life.head.margin = 1;
        rename(life);
        euro.mint(buyer, 2 * price(life));
        bring(life, SETTLED);
        another(life, 1);
        walk(life, SETTLED);
        assertMoney(life, life.head.bond, 0, 2 * price(life));
    }
}
