// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";

import {IPermits} from "../../IPermits.sol";
import {ITestEuro, PaidBySignature} from "../PaidBySignature.sol";
import {IMoney, IReentering} from "../Market.sol";

contract PlaceForTest is PaidBySignature {
    function test_AnApprovalOfBeforePays() external {
        Life memory life = published(usual());
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderPlaced(
            life.id, life.order.offer, buyer, life.order.specification, 1, 0, life.order.placeBy
        );
        vm.prank(stranger);
        vm.assertEq(
            rules.placeFor(life.head, life.members, life.order, sign(buyer, life.id), approval()), life.id, "id"
        );
        assertPlaced(life);
    }

    function test_ASignedApprovalPays() external {
        Life memory life = unapproved(usual());
        placeFor(life, signedApproval(life, price(life)));
        assertPlaced(life);
    }

    function test_ASignedApprovalThatSomebodyHandedInBeforePaysStill() external {
        Life memory life = unapproved(usual());
        IMarketplace.Payment memory payment = signedApproval(life, price(life));
        ITestEuro token = ITestEuro(address(euro));
        token.permit(buyer, address(rules), price(life), payment.deadline, payment.v, payment.r, payment.s);
        placeFor(life, payment);
        assertPlaced(life);
    }

    function test_ASignedApprovalOfLessIsRefused() external {
        Life memory life = unapproved(usual());
        IMarketplace.Payment memory payment = signedApproval(life, price(life) - 1);
        refusedAllowance(life, 0);
        placeFor(life, payment);
    }

    function test_AnAuthorizationPays() external {
        Life memory life = unapproved(usual());
        placeFor(life, authorization(life, life.id));
        assertPlaced(life);
        vm.assertTrue(ITestEuro(address(euro)).authorizationState(buyer, life.id), "used");
    }

    function test_AnAuthorizationForAnotherOrderIsRefused() external {
        Life memory life = unapproved(usual());
        IMarketplace.Payment memory payment = authorization(life, OTHER);
        refused(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        placeFor(life, payment);
    }

    function test_AnAuthorizationCannotBeTakenAwayByAStranger() external {
        Life memory life = unapproved(usual());
        IMarketplace.Payment memory payment = authorization(life, life.id);
        refused(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        vm.prank(stranger);
        ITestEuro(address(euro))
            .transferWithAuthorization(
                buyer, address(rules), price(life), 0, payment.deadline, life.id, payment.v, payment.r, payment.s
            );
        placeFor(life, payment);
        assertPlaced(life);
    }

    function test_AnAuthorizationThatHasExpiredIsRefused() external {
        Life memory life = unapproved(usual());
        IMarketplace.Payment memory payment = authorization(life, life.id);
        vm.warp(payment.deadline);
        string memory text = "ERC3009InvalidAuthorizationTime(uint256,uint256)";
        refused(abi.encodeWithSignature(text, 0, payment.deadline));
        placeFor(life, payment);
    }

    function test_WithoutAnyApprovalNothingIsPaid() external {
        Life memory life = unapproved(usual());
        refusedAllowance(life, 0);
        placeFor(life, approval());
    }

    // ------------------------------------------------------------------------------------------- what the buyer signed

    function test_TheRelayerChangesNothing() external {
        Life memory life = published(usual());
        bytes memory signature = sign(buyer, life.id);
        life.order.specification = OTHER;
        refusedSignature(life, signature);
        life = usual();
        life.order.placeBy += 1;
        refusedSignature(life, signature);
        life = usual();
        life.order.versions = 2;
        refusedSignature(life, signature);
        life = usual();
        life.order.permit = OTHER;
        refusedSignature(life, signature);
        life = usual();
        life.order.buyer = provider;
        refusedSignature(life, signature);
    }

    function test_TheRelayerDoesNotMoveTheOrderToAnotherOffer() external {
        Life memory life = published(usual());
        bytes memory signature = sign(buyer, life.id);
        life.head.margin += 1;
        rename(life);
        published(life);
        refusedSignature(life, signature);
    }

    function test_TheSignatureOfSomebodyElseIsRefused() external {
        Life memory life = published(usual());
        refusedSignature(life, sign(stranger, life.id));
    }

    function test_AnEmptySignatureIsRefused() external {
        refusedSignature(published(usual()), "");
    }

    function test_ASignatureInItsOtherFormIsRefused() external {
        Life memory life = published(usual());
        refusedSignature(life, mirrored(sign(buyer, life.id)));
    }

    function test_ASignatureForAnotherChainIsRefused() external {
        Life memory life = published(usual());
        vm.chainId(CHAIN + 1);
        bytes memory signature = sign(buyer, rules.orderId(life.order));
        vm.chainId(CHAIN);
        refusedSignature(life, signature);
    }

    function test_ASignaturePlacesOneOrder() external {
        Life memory life = published(usual());
        stake(life, life.head.bond);
        placeFor(life, approval());
        refused(abi.encodeWithSelector(IMarketplace.OrderExists.selector, life.id));
        placeFor(life, approval());
    }

    function test_TheOrderIsPlacedByItsLastSecond() external {
        Life memory life = published(usual());
        vm.warp(uint256(life.order.placeBy) + 1);
        refused(abi.encodeWithSelector(IMarketplace.PlacedTooLate.selector, life.id, life.order.placeBy));
        placeFor(life, approval());
    }

    function test_AWalletOrdersByItsOwnCode() external {
        Life memory life = usual();
        life.order.buyer = walletOf(buyer);
        fund(euro, life.order.buyer);
        rename(life);
        published(life);
        refusedSignature(life, sign(stranger, life.id));
        placeFor(life, approval());
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    function test_APermitIsAskedForToo() external {
        Life memory life = permitted();
        published(life);
        revoke(life.order.permit);
        bytes4 dead = IPermits.PermitNotLive.selector;
        refused(abi.encodeWithSelector(dead, life.order.permit, START, START + 365 days, START));
        placeFor(life, approval());
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = published(usual());
        bytes memory signature = sign(buyer, life.id);
        refusedOffer(life);
        vm.prank(stranger);
        rules.placeFor(life.head, life.members, life.order, signature, approval());
    }

    function test_ATokenThatComesBackInIsRefused() external {
        IMoney token = hostile("ReenteringToken");
        Life memory life = usual();
        (life.head.token, life.head.bond) = (address(token), 0);
        rename(life);
        publish(life);
        bytes memory signature = sign(buyer, life.id);
        bytes memory call =
            abi.encodeCall(IMarketplace.placeFor, (life.head, life.members, life.order, signature, approval()));
        IReentering(address(token)).arm(address(rules), call);
        refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        placeFor(life, approval());
    }

    function test_ATokenThatKnowsNoSignedApprovalsCanBeApprovedBefore() external {
        IMoney token = hostile("PlainToken");
        Life memory life = usual();
        (life.head.token, life.head.bond) = (address(token), 0);
        rename(life);
        publish(life);
        placeFor(life, signedApproval(life, price(life)));
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    function published(Life memory life) private returns (Life memory) {
        publish(life);
        stake(life, life.head.bond);
        return life;
    }

    /// @dev The same, with a buyer who has approved nothing.
    function unapproved(Life memory life) private returns (Life memory) {
        vm.prank(buyer);
        euro.approve(address(rules), 0);
        return published(life);
    }

    function placeFor(Life memory life, IMarketplace.Payment memory payment) private {
        bytes memory signature = sign(life.order.buyer, life.id);
        vm.prank(stranger);
        rules.placeFor(life.head, life.members, life.order, signature, payment);
    }

    function refusedSignature(Life memory life, bytes memory signature) private {
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, life.order.buyer));
        vm.prank(stranger);
        rules.placeFor(life.head, life.members, life.order, signature, approval());
    }

    function refusedAllowance(Life memory life, uint256 left) private {
        string memory text = "ERC20InsufficientAllowance(address,uint256,uint256)";
        refused(abi.encodeWithSignature(text, address(rules), left, price(life)));
    }

    function assertPlaced(Life memory life) private view {
        assertStands(life, PLACED, IBooks.Reason.None);
        vm.assertEq(euro.balanceOf(buyer), 1_000_000 * EURO - price(life), "the buyer's balance");
        assertMoney(life, 0, 0, 0);
    }
}
