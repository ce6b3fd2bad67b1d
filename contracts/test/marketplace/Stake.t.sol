// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IMoney, IReentering, Market} from "../Market.sol";

contract StakeTest is Market {
    function testFuzz_AStakeBecomesCredit(uint128 first, uint128 second) external {
        uint256 left = 1_000_000 * EURO;
        first = uint128(between(first, 1, left - 1));
        second = uint128(between(second, 1, left - first));
        vm.expectEmit(address(rules));
        emit IMarketplace.Staked(address(euro), buyer, first);
        pay(euro, first);
        pay(euro, second);
        vm.assertEq(credit(buyer), uint256(first) + second, "credit");
        vm.assertEq(euro.balanceOf(buyer), left - first - second, "the buyer's balance");
        vm.assertEq(euro.balanceOf(address(rules)), uint256(first) + second, "the contract's balance");
    }

    function test_NothingIsNoStake() external {
        refusedRange("amount", 0, 1, type(uint128).max);
        pay(euro, 0);
    }

    function test_AStakeFitsABond() external {
        euro.mint(buyer, uint256(1) << 128);
        refusedRange("amount", uint256(1) << 128, 1, type(uint128).max);
        pay(euro, uint256(1) << 128);
        pay(euro, type(uint128).max);
        vm.assertEq(credit(buyer), type(uint128).max, "credit");
    }

    function test_ATokenWithoutCodeIsRefused() external {
        refused(abi.encodeWithSelector(IMarketplace.TokenWithoutCode.selector, stranger));
        vm.prank(buyer);
        rules.stake(stranger, 1);
    }

    function test_ATokenThatKeepsAFeeIsRefused() external {
        IMoney token = hostile("FeeToken");
        refused(abi.encodeWithSelector(IMarketplace.InexactTransfer.selector, token, 100, 99));
        pay(token, 100);
    }

    function test_ATokenThatMovesMoreIsRefused() external {
        IMoney token = hostile("GenerousToken");
        refused(abi.encodeWithSelector(IMarketplace.InexactTransfer.selector, token, 100, 101));
        pay(token, 100);
    }

    function test_ATokenThatSaysFalseIsRefused() external {
        IMoney token = hostile("FalseToken");
        refused(abi.encodeWithSignature("SafeERC20FailedOperation(address)", token));
        pay(token, 100);
    }

    function test_ATokenThatAnswersNothingIsTaken() external {
        IMoney token = hostile("SilentToken");
        pay(token, 100);
        vm.assertEq(rules.getCredit(address(token), buyer), 100, "credit");
    }

    function test_ATokenThatComesBackInIsRefused() external {
        IMoney token = hostile("ReenteringToken");
        bytes memory call = abi.encodeCall(IMarketplace.stake, (address(token), 1));
        IReentering(address(token)).arm(address(rules), call);
        refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        pay(token, 100);
    }

    function pay(IMoney token, uint256 amount) private {
        vm.prank(buyer);
        rules.stake(address(token), amount);
    }
}
