// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {Market} from "../Market.sol";

/// @dev The largest amounts that an offer may have, through the ways in which they are divided.
contract AmountsTest is Market {
    uint256 private constant MOST = type(uint96).max;

    function testFuzz_TheLargestAmountsAreDividedToTheUnit(uint16 priceBps, uint16 bondBps) external {
        (priceBps, bondBps) = (uint16(between(priceBps, 0, 10_000)), uint16(between(bondBps, 0, 10_000)));
        Life memory life = largest();
        bring(life, CONTESTED);
        rule(life, priceBps, bondBps);
        uint256 earned = MOST * priceBps / 10_000;
        uint256 freed = uint256(type(uint128).max) * bondBps / 10_000;
        vm.assertEq(credit(arbiter), MOST, "the arbiter's deposit");
        assertMoney(life, freed, MOST - earned + type(uint128).max - freed, earned);
        withdraw(provider);
        withdraw(buyer);
        withdraw(arbiter);
        if (earned > 0) withdrawPayout(life, 0);
        vm.assertEq(euro.balanceOf(address(rules)), 0, "nothing stays behind with one member");
    }

    function test_TheLargestBondsAddUpInOneCredit() external {
        Life memory life = largest();
        publish(life);
        for (uint256 i = 1; i <= 3; i++) {
            euro.mint(provider, type(uint128).max);
            stake(life, type(uint128).max);
            vm.assertEq(credit(provider), i * type(uint128).max, "credit");
        }
        euro.mint(buyer, 3 * MOST);
        for (uint256 i = 0; i < 3; i++) {
            another(life, i);
            place(life);
        }
        vm.assertEq(credit(provider), 0, "all bonds are locked");
    }

    /// @dev As many orders as an offer can have open at once, all of the highest price, fit into what it can accrue.
    function test_WhatAnOfferAccruesHoldsAsManyOfTheHighestPriceAsCanBeOpen() external pure {
        vm.assertLe(uint256(type(uint32).max) * MOST, type(uint128).max, "the sum");
    }

    function test_AReleaseAfterANewEpochTakesNothingFromIt() external {
        Life memory life = exact();
        bring(life, PLACED);
        decline(life);
        vm.prank(provider);
        rules.openEpoch(dataset, TOTAL, 0, DOCUMENT);
        vm.assertEq(rules.getDataset(dataset).exactTotal, 1, "used and nothing new");
        release(life, 0);
        IBooks.Dataset memory kept = rules.getDataset(dataset);
        vm.assertEq(kept.exactUsed, 0, "exact used");
        vm.assertEq(kept.exactTotal, 1, "exact total");
    }

    function test_AReleaseGivesBackOnlyWhatItsOrderTook() external {
        Life memory life = usual();
        publish(life);
        stake(life, 2 * life.head.bond);
        place(life);
        another(life, 1);
        place(life);
        vm.assertEq(rules.getDataset(dataset).used, 2 * RHO, "used by two");
        decline(life);
        release(life, 0);
        vm.assertEq(rules.getDataset(dataset).used, RHO, "used by the other");
    }

    function largest() private returns (Life memory life) {
        life = arbitrated();
        (life.head.cost, life.head.margin) = (uint128(MOST - 5), 5);
        life.head.bond = type(uint128).max;
        life.head.contestDeposit = uint128(MOST);
        rename(life);
        euro.mint(buyer, 2 * MOST);
        euro.mint(provider, type(uint128).max);
    }

    function withdraw(address account) private {
        uint256 held = credit(account);
        vm.prank(account);
        if (held > 0) rules.withdrawCredit(address(euro), held);
    }
}
