// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IBlocking, IMoney, IReentering, Market} from "../Market.sol";

contract WithdrawCreditTest is Market {
    function testFuzz_APartOfTheCreditIsPaidOut(uint128 staked, uint128 asked) external {
        staked = uint128(between(staked, 1, 1_000_000 * EURO));
        asked = uint128(between(asked, 1, staked));
        pay(euro, staked);
        vm.expectEmit(address(rules));
        emit IMarketplace.CreditWithdrawn(address(euro), buyer, asked);
        withdraw(euro, asked);
        vm.assertEq(credit(buyer), staked - asked, "credit");
        vm.assertEq(euro.balanceOf(buyer), 1_000_000 * EURO - staked + asked, "the buyer's balance");
    }

    function test_NothingIsNotPaidOut() external {
        refused(abi.encodeWithSelector(IMarketplace.NothingToWithdraw.selector));
        withdraw(euro, 0);
    }

    function test_MoreThanTheCreditIsRefused() external {
        pay(euro, 100);
        refused(insufficient(address(euro), buyer, 100, 101));
        withdraw(euro, 101);
    }

    function test_TheCreditOfSomebodyElseIsNotTouched() external {
        stake(usual(), 100);
        refused(insufficient(address(euro), buyer, 0, 1));
        withdraw(euro, 1);
        vm.assertEq(credit(provider), 100, "credit");
    }

    function test_CreditInAnotherTokenDoesNotCount() external {
        pay(euro, 100);
        IMoney token = hostile("PlainToken");
        refused(insufficient(address(token), buyer, 0, 1));
        withdraw(token, 1);
    }

    function test_AnAccountThatATokenRefusesBlocksNobodyElse() external {
        IMoney token = hostile("BlockingToken");
        fund(token, provider);
        pay(token, 100);
        vm.prank(provider);
        rules.stake(address(token), 100);
        IBlocking(address(token)).block_(buyer);
        refused(abi.encodeWithSignature("Blocked(address)", buyer));
        withdraw(token, 100);
        vm.assertEq(rules.getCredit(address(token), buyer), 100, "credit");
        vm.prank(provider);
        rules.withdrawCredit(address(token), 100);
        vm.assertEq(token.balanceOf(provider), 1_000_000 * EURO, "balance");
    }

    function test_ATokenThatComesBackInIsRefused() external {
        IMoney token = hostile("ReenteringToken");
        pay(token, 100);
        bytes memory call = abi.encodeCall(IMarketplace.withdrawCredit, (address(token), 1));
        IReentering(address(token)).arm(address(rules), call);
        refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        withdraw(token, 100);
    }

    function pay(IMoney token, uint256 amount) private {
        vm.prank(buyer);
        rules.stake(address(token), amount);
    }

    function withdraw(IMoney token, uint256 amount) private {
        vm.prank(buyer);
        rules.withdrawCredit(address(token), amount);
    }
}
