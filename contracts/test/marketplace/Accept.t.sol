// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

import {IPermits} from "../../IPermits.sol";

contract AcceptTest is Market {
    function test_TheBuyerAcceptsThatDelivery() external {
        Life memory life = reach(DELIVERED);
        vm.warp(START + 10);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderAccepted(life.id);
        accept(life);
        assertStands(life, ACCEPTED, IBooks.Reason.None);
        vm.assertEq(deadline(life), START + 10 + 6 hours, "deadline");
        assertMoney(life, 0, 0, 0);
    }

    function test_AnotherDeliveryIsNotAccepted() external {
        Life memory life = reach(DELIVERED);
        refused(abi.encodeWithSelector(IMarketplace.WrongDelivery.selector, life.id, life.digest, OTHER));
        vm.prank(buyer);
        rules.accept(life.head, life.membersHash, life.order, OTHER);
    }

    function test_OnlyTheBuyerAccepts() external {
        Life memory life = reach(DELIVERED);
        refusedBuyer(life, provider);
        vm.prank(provider);
        rules.accept(life.head, life.membersHash, life.order, life.digest);
    }

    function test_TheBuyerAcceptsToTheLastSecondAndNotAfter() external {
        Life memory life = reach(DELIVERED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        accept(life);
        vm.warp(deadline(life));
        accept(life);
    }

    function testFuzz_NoOtherStateCanBeAccepted(uint256 seed) external {
        Life memory life = reachOther(seed, DELIVERED, DELIVERED);
        refusedState(life, DELIVERED);
        accept(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(DELIVERED);
        refusedOffer(life);
        accept(life);
    }

    function test_ThePermitLastsToTheEndOfTheRevealWindow() external {
        Life memory life = permitted();
        uint256 end = START + 6 hours;
        life.order.permit = grant(life.order.offer, START, end);
        rename(life);
        bring(life, DELIVERED);
        vm.warp(START + 1);
        bytes4 early = IPermits.PermitEndsTooEarly.selector;
        refused(abi.encodeWithSelector(early, life.order.permit, end, end + 1));
        accept(life);
        vm.warp(START);
        accept(life);
        assertStands(life, ACCEPTED, IBooks.Reason.None);
    }

    function test_ARevokedPermitIsRefused() external {
        Life memory life = permitted();
        bring(life, DELIVERED);
        revoke(life.order.permit);
        bytes memory reason =
            abi.encodeWithSelector(IPermits.PermitNotLive.selector, life.order.permit, START, START + 365 days, START);
        refused(reason);
        accept(life);
    }
}
