// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract RefundTest is Market {
    function test_AnOrderThatWasNotDeliveredGoesBackWhole() external {
        Life memory life = reach(PLACED);
        vm.warp(deadline(life) + 1);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRefunded(life.id, IBooks.Reason.NotDelivered);
        refund(life);
        assertStands(life, REFUNDED, IBooks.Reason.NotDelivered);
        assertMoney(life, life.head.bond, price(life), 0);
    }

    function test_ADeliveryThatWasNotAcceptedCostsTheComputeFee() external {
        Life memory life = reach(DELIVERED);
        vm.warp(deadline(life) + 1);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRefunded(life.id, IBooks.Reason.NotAccepted);
        refund(life);
        assertStands(life, REFUNDED, IBooks.Reason.NotAccepted);
        assertMoney(life, life.head.bond, price(life) - computeFee(life), computeFee(life));
    }

    function test_ThereIsNoRefundBeforeTheDeadline() external {
        Life memory life = reach(PLACED);
        vm.warp(deadline(life));
        refusedEarly(life);
        refund(life);
        deliver(life);
        vm.warp(deadline(life));
        refusedEarly(life);
        refund(life);
    }

    function test_AnOrderWhosePermitWasRevokedCostsTheComputeFee() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        vm.warp(START + 10);
        revoke(life.order.permit);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRefunded(life.id, IBooks.Reason.PermitRevoked);
        refund(life);
        assertStands(life, REFUNDED, IBooks.Reason.PermitRevoked);
        assertMoney(life, life.head.bond, price(life) - computeFee(life), computeFee(life));
    }

    function test_ARevocationCountsUpToTheDeadlineOfTheKey() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        vm.warp(deadline(life));
        revoke(life.order.permit);
        vm.warp(deadline(life) + 1 days);
        refund(life);
        assertStands(life, REFUNDED, IBooks.Reason.PermitRevoked);
    }

    function test_ARevocationAfterTheDeadlineOfTheKeyDoesNotCount() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        vm.warp(deadline(life) + 1);
        revoke(life.order.permit);
        refused(abi.encodeWithSelector(IMarketplace.PermitNotRevoked.selector, life.id, life.order.permit));
        refund(life);
    }

    function test_AnAcceptedOrderWhosePermitLivesIsNotRefunded() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        vm.warp(deadline(life) + 1);
        refused(abi.encodeWithSelector(IMarketplace.PermitNotRevoked.selector, life.id, life.order.permit));
        refund(life);
    }

    function test_AnAcceptedOrderWithoutAPermitIsNotRefunded() external {
        Life memory life = reach(ACCEPTED);
        vm.warp(deadline(life) + 1);
        refused(abi.encodeWithSelector(IMarketplace.PermitNotRevoked.selector, life.id, 0));
        refund(life);
    }

    function test_APermitThatWasRevokedBeforeTheOrderWasAcceptedEndsItToo() external {
        Life memory life = permitted();
        bring(life, DELIVERED);
        revoke(life.order.permit);
        vm.warp(deadline(life) + 1);
        refund(life);
        assertStands(life, REFUNDED, IBooks.Reason.NotAccepted);
    }

    function testFuzz_NoOtherStateCanBeRefunded(uint256 seed) external {
        Life memory life = reachOther(seed, PLACED, DELIVERED);
        vm.warp(START + 3650 days);
        if (standing(life).state == ACCEPTED) {
            refused(abi.encodeWithSelector(IMarketplace.PermitNotRevoked.selector, life.id, 0));
        } else {
            refusedState(life, PLACED);
        }
        refund(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(PLACED);
        vm.warp(deadline(life) + 1);
        refusedOffer(life);
        refund(life);
    }
}
