// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {IMoney, IReentering, Market} from "../Market.sol";

contract ContestTest is Market {
    function test_TheBuyerCallsTheArbiterWithADeposit() external {
        Life memory life = arbitrated();
        bring(life, REVEALED);
        uint256 before = euro.balanceOf(buyer);
        vm.warp(START + 10);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderContested(life.id, DOCUMENT);
        contest(life);
        assertStands(life, CONTESTED, IBooks.Reason.None);
        vm.assertEq(deadline(life), START + 10 + 1 days, "deadline");
        vm.assertEq(standing(life).revealedAt, START, "revealedAt");
        vm.assertEq(euro.balanceOf(buyer), before - life.head.contestDeposit, "the buyer's balance");
        assertMoney(life, 0, 0, 0);
    }

    function test_WithoutAnArbiterNothingIsContested() external {
        Life memory life = reach(REVEALED);
        refused(abi.encodeWithSelector(IMarketplace.NoArbiter.selector, life.id));
        contest(life);
    }

    function test_OnlyTheBuyerContests() external {
        Life memory life = arbitrated();
        bring(life, REVEALED);
        refusedBuyer(life, provider);
        vm.prank(provider);
        rules.contest(life.head, life.membersHash, life.order, DOCUMENT);
    }

    function test_TheBuyerContestsToTheLastSecondAndNotAfter() external {
        Life memory life = arbitrated();
        bring(life, REVEALED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        contest(life);
        vm.warp(deadline(life));
        contest(life);
    }

    function testFuzz_NoOtherStateCanBeContested(uint256 seed) external {
        Life memory life = reachOther(seed, REVEALED, REVEALED);
        refusedState(life, REVEALED);
        contest(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = arbitrated();
        bring(life, REVEALED);
        refusedOffer(life);
        contest(life);
    }

    function test_ADepositThatWasNotApprovedIsRefused() external {
        Life memory life = arbitrated();
        bring(life, REVEALED);
        vm.prank(buyer);
        euro.approve(address(rules), 0);
        uint256 deposit = life.head.contestDeposit;
        string memory text = "ERC20InsufficientAllowance(address,uint256,uint256)";
        refused(abi.encodeWithSignature(text, address(rules), 0, deposit));
        contest(life);
    }

    function test_ADepositMayBeNothing() external {
        Life memory life = arbitrated();
        life.head.contestDeposit = 0;
        rename(life);
        bring(life, CONTESTED);
        assertMoney(life, 0, 0, 0);
    }

    function test_ATokenThatComesBackInIsRefused() external {
        IMoney token = hostile("ReenteringToken");
        Life memory life = arbitrated();
        (life.head.token, life.head.bond) = (address(token), 0);
        rename(life);
        bring(life, REVEALED);
        bytes memory call = abi.encodeCall(IMarketplace.contest, (life.head, life.membersHash, life.order, DOCUMENT));
        IReentering(address(token)).arm(address(rules), call);
        refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        contest(life);
    }
}
