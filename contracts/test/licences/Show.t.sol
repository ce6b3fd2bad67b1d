// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILicences} from "../../ILicences.sol";
import {Market} from "../Market.sol";

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

contract ShowTest is Market {
    function test_AnyoneShowsALiveLicenceAsATokenOfTheBuyers() external {
        Life memory life = reach(REVEALED);
        vm.expectEmit(address(licences));
        emit IERC721.Transfer(address(0), buyer, uint256(life.id));
        vm.expectEmit(address(licences));
        emit ILicences.Locked(uint256(life.id));
        show(life);
        vm.assertEq(licences.ownerOf(uint256(life.id)), buyer, "owner");
        vm.assertEq(licences.balanceOf(buyer), 1, "balance");
        vm.assertTrue(licences.locked(uint256(life.id)), "locked");
        vm.assertTrue(licences.isLicensed(life.id, buyer, START), "licensed by number");
    }

    function test_ALicenceIsShownOnce() external {
        Life memory life = reach(SETTLED);
        show(life);
        refused(abi.encodeWithSelector(ILicences.AlreadyShown.selector, life.id));
        show(life);
    }

    function testFuzz_WithoutALicenceNothingIsShown(uint256 seed) external {
        Life memory life = reachOther(seed, REVEALED, SETTLED);
        refused(abi.encodeWithSelector(ILicences.NotLicensed.selector, life.id));
        show(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(SETTLED);
        refusedOffer(life);
        show(life);
    }

    function test_WhatIsNotShownIsNoToken() external {
        Life memory life = reach(REVEALED);
        refusedToken(life);
        licences.ownerOf(uint256(life.id));
        refusedToken(life);
        licences.locked(uint256(life.id));
        vm.assertEq(licences.balanceOf(buyer), 0, "balance");
    }

    function test_ATokenEndsWithItsLicence() external {
        Life memory life = reach(SETTLED);
        show(life);
        vm.warp(START + 365 days + 1);
        vm.assertEq(licences.balanceOf(buyer), 0, "balance");
        refusedToken(life);
        licences.ownerOf(uint256(life.id));
        refusedToken(life);
        licences.locked(uint256(life.id));
        refusedToken(life);
        licences.getApproved(uint256(life.id));
    }

    function test_ATokenSleepsWhileItsOrderIsContested() external {
        Life memory life = arbitrated();
        bring(life, REVEALED);
        show(life);
        contest(life);
        vm.assertEq(licences.balanceOf(buyer), 0, "balance");
        vm.warp(deadline(life) + 1);
        settle(life, stranger);
        vm.assertEq(licences.balanceOf(buyer), 1, "balance");
    }

    function test_ATokenIsNotTransferred() external {
        Life memory life = reach(SETTLED);
        show(life);
        uint256 id = uint256(life.id);
        bytes memory reason = abi.encodeWithSelector(ILicences.NotTransferable.selector);
        refused(reason);
        vm.prank(buyer);
        licences.transferFrom(buyer, stranger, id);
        refused(reason);
        vm.prank(buyer);
        licences.safeTransferFrom(buyer, stranger, id);
        refused(reason);
        vm.prank(buyer);
        licences.safeTransferFrom(buyer, stranger, id, "");
        refused(reason);
        vm.prank(buyer);
        licences.approve(stranger, id);
        refused(reason);
        vm.prank(buyer);
        licences.setApprovalForAll(stranger, true);
        vm.assertEq(licences.getApproved(id), address(0), "approved");
        vm.assertFalse(licences.isApprovedForAll(buyer, stranger), "approved for all");
    }

    function test_ItSaysWhatItIs() external view {
        vm.assertTrue(licences.supportsInterface(0x01ffc9a7), "ERC-165");
        vm.assertTrue(licences.supportsInterface(0x80ac58cd), "ERC-721");
        vm.assertTrue(licences.supportsInterface(0xb45a3c0e), "ERC-5192");
        vm.assertFalse(licences.supportsInterface(0xffffffff), "nothing");
    }

    function show(Life memory life) private {
        vm.prank(stranger);
        licences.show(life.head, life.membersHash, life.order);
    }

    function refusedToken(Life memory life) private {
        refused(abi.encodeWithSelector(ILicences.NotLicensed.selector, life.id));
    }
}
