// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract RuleTest is Market {
    /// @dev The providers' share of each is floored, the rest is the buyer's, the deposit the arbiter's.
    function testFuzz_PriceAndBondAreDivided(uint16 priceBps, uint16 bondBps, uint96 cost, uint96 bond) external {
        priceBps = uint16(between(priceBps, 1, 10_000));
        bondBps = uint16(between(bondBps, 0, 10_000));
        Life memory life = arbitrated();
        (life.head.cost, life.head.margin) = (uint128(between(cost, 1, 100_000 * EURO)), 0);
        life.head.bond = uint128(between(bond, 0, 100_000 * EURO));
        rename(life);
        bring(life, CONTESTED);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRuled(life.id, priceBps, bondBps);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderSettled(life.id, IBooks.Reason.Ruled);
        rule(life, priceBps, bondBps);
        assertStands(life, SETTLED, IBooks.Reason.Ruled);
        assertDivided(life, priceBps, bondBps);
    }

    function testFuzz_WithoutAShareOfThePriceTheOrderIsRefunded(uint16 bondBps) external {
        bondBps = uint16(between(bondBps, 0, 10_000));
        Life memory life = reach(CONTESTED);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRuled(life.id, 0, bondBps);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRefunded(life.id, IBooks.Reason.Ruled);
        rule(life, 0, bondBps);
        assertStands(life, REFUNDED, IBooks.Reason.Ruled);
        assertDivided(life, 0, bondBps);
    }

    function test_TheRulingIsKept() external {
        Life memory life = reach(CONTESTED);
        rule(life, 2_500, 7_500);
        IBooks.Standing memory found = standing(life);
        vm.assertEq(found.priceBps, 2_500, "priceBps");
        vm.assertEq(found.bondBps, 7_500, "bondBps");
        vm.assertEq(found.deadline, 0, "deadline");
        vm.assertEq(found.revealedAt, START, "revealedAt");
    }

    function test_OnlyTheArbiterRules() external {
        Life memory life = reach(CONTESTED);
        address[3] memory others = [provider, buyer, stranger];
        for (uint256 i = 0; i < 3; i++) {
            refused(abi.encodeWithSelector(IMarketplace.NotTheArbiter.selector, arbiter, others[i]));
            vm.prank(others[i]);
            rules.rule(life.head, life.membersHash, life.order, 0, 0);
        }
    }

    function test_TheArbiterRulesToTheLastSecondAndNotAfter() external {
        Life memory life = reach(CONTESTED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        rule(life, 1, 1);
        vm.warp(deadline(life));
        rule(life, 1, 1);
    }

    function testFuzz_NoOtherStateCanBeRuled(uint256 seed) external {
        Life memory life = reachOther(seed, CONTESTED, CONTESTED);
        refusedState(life, CONTESTED);
        vm.prank(life.head.arbiter);
        rules.rule(life.head, life.membersHash, life.order, 1, 1);
    }

    function test_MoreThanTheWholeIsRefused() external {
        Life memory life = reach(CONTESTED);
        refusedRange("priceBps", 10_001, 0, 10_000);
        rule(life, 10_001, 0);
        refusedRange("bondBps", 10_001, 0, 10_000);
        rule(life, 0, 10_001);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(CONTESTED);
        refusedOffer(life);
        rule(life, 1, 1);
    }

    function assertDivided(Life memory life, uint256 priceBps, uint256 bondBps) private view {
        uint256 earned = price(life) * priceBps / 10_000;
        uint256 freed = uint256(life.head.bond) * bondBps / 10_000;
        vm.assertEq(credit(arbiter), life.head.contestDeposit, "the arbiter's credit");
        assertMoney(life, freed, price(life) - earned + life.head.bond - freed, earned);
    }
}
