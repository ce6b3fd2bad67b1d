// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {ILicences} from "../../ILicences.sol";
import {Market} from "../Market.sol";

contract IsLicensedTest is Market {
    function testFuzz_OnlyARevealedOrSettledOrderIsLicensed(uint256 seed) external {
        IBooks.OrderState state = IBooks.OrderState(seed % 9);
        Life memory life = reach(state);
        vm.assertTrue(isLicensed(life, buyer, block.timestamp) == (state == REVEALED || state == SETTLED), "licensed");
    }

    function test_TheTermRunsFromTheRevealToItsLastSecond() external {
        Life memory life = reach(SETTLED);
        uint256 last = START + 365 days;
        vm.assertFalse(isLicensed(life, buyer, START - 1), "before");
        vm.assertTrue(isLicensed(life, buyer, START), "first second");
        vm.assertTrue(isLicensed(life, buyer, last), "last second");
        vm.assertFalse(isLicensed(life, buyer, last + 1), "after");
    }

    function test_NobodyElseIsLicensed() external {
        Life memory life = reach(SETTLED);
        address[4] memory others = [provider, stranger, address(rules), address(0)];
        for (uint256 i = 0; i < 4; i++) {
            vm.assertFalse(isLicensed(life, others[i], START), "licensed");
            vm.assertFalse(licences.isLicensed(life.id, others[i], START), "licensed by number");
        }
    }

    function test_AShareOfThePriceLicenses() external {
        Life memory life = reach(CONTESTED);
        vm.assertFalse(isLicensed(life, buyer, START), "suspended");
        rule(life, 1, 0);
        vm.assertTrue(isLicensed(life, buyer, START), "licensed");
    }

    function test_WithoutAShareOfThePriceThereIsNoLicence() external {
        Life memory life = reach(CONTESTED);
        rule(life, 0, 10_000);
        vm.assertFalse(isLicensed(life, buyer, START), "licensed");
    }

    function test_ThePermitEndsTheLicence() external {
        Life memory life = permitted();
        life.order.permit = grant(life.order.offer, START, START + 10 days);
        rename(life);
        bring(life, SETTLED);
        vm.assertTrue(isLicensed(life, buyer, START + 10 days), "last second");
        vm.assertFalse(isLicensed(life, buyer, START + 10 days + 1), "after");
        vm.warp(START + 5 days);
        revoke(life.order.permit);
        vm.assertTrue(isLicensed(life, buyer, START + 5 days - 1), "before the revocation");
        vm.assertFalse(isLicensed(life, buyer, START + 5 days), "from the revocation on");
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(SETTLED);
        refusedOffer(life);
        licences.isLicensed(life.head, life.membersHash, life.order, buyer, START);
    }

    function test_AnOrderThatIsNotShownIsLicensedByNumberToNobody() external {
        Life memory life = reach(SETTLED);
        vm.assertFalse(licences.isLicensed(life.id, buyer, START), "the buyer");
        vm.assertFalse(licences.isLicensed(life.id, address(0), START), "nobody");
    }

    function isLicensed(Life memory life, address who, uint256 time) private view returns (bool) {
        return licences.isLicensed(life.head, life.membersHash, life.order, who, time);
    }
}
