// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {IBlocking, IMoney, IReentering, Market} from "../Market.sol";

contract WithdrawPayoutTest is Market {
    function test_TheOnlyMemberIsPaidThePrice() external {
        Life memory life = reach(SETTLED);
        uint256 before = euro.balanceOf(provider);
        vm.expectEmit(address(rules));
        emit IMarketplace.PayoutWithdrawn(life.order.offer, 0, provider, price(life));
        withdrawPayout(life, 0);
        vm.assertEq(euro.balanceOf(provider), before + price(life), "balance");
        vm.assertEq(rules.getWithdrawn(life.order.offer, 0), price(life), "withdrawn");
    }

    function test_NothingIsPaidTwice() external {
        Life memory life = reach(SETTLED);
        withdrawPayout(life, 0);
        refused(abi.encodeWithSelector(IMarketplace.NothingToWithdraw.selector));
        withdrawPayout(life, 0);
    }

    function test_ALaterOrderIsPaidOnTop() external {
        Life memory life = reach(SETTLED);
        withdrawPayout(life, 0);
        another(life, 1);
        walk(life, SETTLED);
        uint256 before = euro.balanceOf(provider);
        withdrawPayout(life, 0);
        vm.assertEq(euro.balanceOf(provider), before + price(life), "balance");
    }

    function test_AComputeFeeIsPaidOutToo() external {
        Life memory life = reach(REFUNDED);
        uint256 before = euro.balanceOf(provider);
        withdrawPayout(life, 0);
        vm.assertEq(euro.balanceOf(provider), before + computeFee(life), "balance");
    }

    /// @dev Each member's share of everything earned, floored, however often and in whichever order it is withdrawn; less
    /// than one unit for each member stays behind.
    function testFuzz_SharesAreFlooredAndAlwaysThere(uint256 count, uint96 cost, uint256 seed) external {
        IBooks.Head memory head = usualHead();
        (head.cost, head.margin) = (uint128(between(cost, 1, 100_000 * EURO)), 0);
        IBooks.Member[] memory members = pool(between(count, 1, 16));
        shuffleShares(members, seed);
        Life memory life = draft(head, members);
        publish(life);
        stake(life, 3 * life.head.bond);
        for (uint256 number = 0; number < 3; number++) {
            another(life, number);
            walk(life, SETTLED);
            for (uint256 i = 0; i < members.length; i++) {
                if (seed >> (16 * number + i) & 1 == 1) tryWithdraw(life, i);
            }
        }
        uint256 paid = 0;
        for (uint256 i = 0; i < members.length; i++) {
            tryWithdraw(life, i);
            uint256 owed = 3 * price(life) * members[i].shareBps / 10_000;
            vm.assertEq(rules.getWithdrawn(life.order.offer, i), owed, "withdrawn");
            paid += owed;
        }
        vm.assertLt(3 * price(life) - paid, members.length, "what stays behind");
    }

    function test_AMemberThatThereIsNotIsRefused() external {
        Life memory life = reach(SETTLED);
        vm.prank(stranger);
        refused(abi.encodeWithSelector(IMarketplace.UnknownMember.selector, life.order.offer, 1));
        rules.withdrawPayout(life.head, life.members, 1);
    }

    function test_AnOfferThatIsNotPublishedIsRefused() external {
        Life memory life = reach(SETTLED);
        life.members[0].provider = stranger;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.UnknownOffer.selector, life.order.offer));
        withdrawPayout(life, 0);
    }

    function test_NothingEarnedIsNotPaid() external {
        Life memory life = reach(REVEALED);
        refused(abi.encodeWithSelector(IMarketplace.NothingToWithdraw.selector));
        withdrawPayout(life, 0);
    }

    function test_AMemberThatATokenRefusesBlocksNobodyElse() external {
        IMoney token = hostile("BlockingToken");
        fund(token, provider);
        Life memory life = pooled();
        life.head.token = address(token);
        rename(life);
        bring(life, SETTLED);
        IBlocking(address(token)).block_(life.members[partner(life)].provider);
        refused(abi.encodeWithSignature("Blocked(address)", life.members[partner(life)].provider));
        withdrawPayout(life, partner(life));
        uint256 before = token.balanceOf(provider);
        withdrawPayout(life, 1 - partner(life));
        vm.assertEq(token.balanceOf(provider), before + price(life) / 2, "balance");
    }

    function test_ATokenThatComesBackInIsRefused() external {
        IMoney token = hostile("ReenteringToken");
        fund(token, provider);
        Life memory life = usual();
        life.head.token = address(token);
        rename(life);
        bring(life, SETTLED);
        bytes memory call = abi.encodeCall(IMarketplace.withdrawPayout, (life.head, life.members, 0));
        IReentering(address(token)).arm(address(rules), call);
        refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        withdrawPayout(life, 0);
    }

    function tryWithdraw(Life memory life, uint256 index) private {
        try rules.withdrawPayout(life.head, life.members, index) {}
        catch (bytes memory reason) {
            vm.assertEq(reason, abi.encodeWithSelector(IMarketplace.NothingToWithdraw.selector), "refused");
        }
    }

    function shuffleShares(IBooks.Member[] memory members, uint256 seed) private pure {
        uint256 left = 10_000;
        for (uint256 i = 0; i < members.length; i++) {
            uint256 last = members.length - 1;
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 share = i == last ? left : between(seed, 0, left);
            members[i].shareBps = uint16(share);
            left -= share;
        }
    }
}
