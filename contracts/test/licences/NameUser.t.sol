// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILicences} from "../../ILicences.sol";
import {Market} from "../Market.sol";

contract NameUserTest is Market {
    function test_AUserIsLicensedFromWhenItIsNamed() external {
        Life memory life = reach(REVEALED);
        vm.warp(START + 10);
        vm.expectEmit(address(licences));
        emit ILicences.UserNamed(life.id, stranger);
        nameUser(life, stranger);
        vm.assertEq(licences.namedAt(life.id, stranger), START + 10, "namedAt");
        vm.assertFalse(isLicensed(life, stranger, START + 9), "before");
        vm.assertTrue(isLicensed(life, stranger, START + 10), "from then on");
        vm.assertFalse(isLicensed(life, stranger, START + 365 days + 1), "after the term");
    }

    function test_AtMostEightUsersAreNamed() external {
        Life memory life = reach(SETTLED);
        for (uint160 i = 1; i <= 8; i++) {
            nameUser(life, address(i));
        }
        refused(abi.encodeWithSelector(ILicences.TooManyUsers.selector, life.id, 8));
        nameUser(life, stranger);
    }

    function test_OnlyTheBuyerNames() external {
        Life memory life = reach(SETTLED);
        refused(abi.encodeWithSelector(ILicences.NotTheBuyer.selector, buyer, stranger));
        vm.prank(stranger);
        licences.nameUser(life.head, life.membersHash, life.order, stranger);
    }

    function testFuzz_WithoutALicenceNobodyIsNamed(uint256 seed) external {
        Life memory life = reachOther(seed, REVEALED, SETTLED);
        refused(abi.encodeWithSelector(ILicences.NotLicensed.selector, life.id));
        nameUser(life, stranger);
    }

    function test_NobodyIsNamedAfterTheTerm() external {
        Life memory life = reach(SETTLED);
        vm.warp(START + 365 days + 1);
        refused(abi.encodeWithSelector(ILicences.NotLicensed.selector, life.id));
        nameUser(life, stranger);
    }

    function test_AUserIsNamedOnce() external {
        Life memory life = reach(SETTLED);
        nameUser(life, stranger);
        refused(abi.encodeWithSelector(ILicences.UserIsNamed.selector, life.id, stranger));
        nameUser(life, stranger);
    }

    function test_TheBuyerIsAUserAlready() external {
        Life memory life = reach(SETTLED);
        refused(abi.encodeWithSelector(ILicences.UserIsNamed.selector, life.id, buyer));
        nameUser(life, buyer);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(SETTLED);
        refusedOffer(life);
        nameUser(life, stranger);
    }

    function nameUser(Life memory life, address user) private {
        vm.prank(buyer);
        licences.nameUser(life.head, life.membersHash, life.order, user);
    }

    function isLicensed(Life memory life, address who, uint256 time) private view returns (bool) {
        return licences.isLicensed(life.head, life.membersHash, life.order, who, time);
    }
}
