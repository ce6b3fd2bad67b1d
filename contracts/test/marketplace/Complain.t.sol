// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {WrongChunk} from "../WrongChunk.sol";

contract ComplainTest is WrongChunk {
    uint32 private constant COUNT = 32_767;

    /// @dev At any depth and any place, the last of an unfilled tree among them.
    function testFuzz_AWrongChunkCostsPriceAndBond(uint32 count, uint32 index, uint256 seed) external {
        count = uint32(between(count, 1, type(uint32).max));
        index = uint32(between(index, 0, count - 1));
        Life memory life = usual();
        IMarketplace.Complaint memory about = chunk(count, index, false, seed);
        commit(life, count, about);
        bring(life, REVEALED);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderForfeited(life.id, IBooks.Reason.WrongByte);
        complain(life, about);
        assertStands(life, FORFEITED, IBooks.Reason.WrongByte);
        assertMoney(life, 0, price(life) + life.head.bond, 0);
    }

    function testFuzz_ARightChunkIsRefused(uint32 count, uint32 index, uint256 seed) external {
        count = uint32(between(count, 1, type(uint32).max));
        index = uint32(between(index, 0, count - 1));
        Life memory life = usual();
        IMarketplace.Complaint memory about = chunk(count, index, true, seed);
        commit(life, count, about);
        bring(life, REVEALED);
        refused(abi.encodeWithSelector(IMarketplace.ChunkIsRight.selector, life.id, index));
        complain(life, about);
    }

    function test_AContestedOrderCanStillBeProvenWrong() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(arbitrated());
        bring(life, CONTESTED);
        complain(life, about);
        assertStands(life, FORFEITED, IBooks.Reason.WrongByte);
        assertMoney(life, 0, price(life) + life.head.bond + life.head.contestDeposit, 0);
        vm.assertEq(credit(arbiter), 0, "the arbiter's credit");
    }

    function test_OnlyTheBuyerComplains() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        refusedBuyer(life, stranger);
        vm.prank(stranger);
        rules.complain(life.head, life.membersHash, life.order, life.delivery, about);
    }

    function test_TheBuyerComplainsToTheLastSecondAndNotAfter() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        complain(life, about);
        vm.warp(deadline(life));
        complain(life, about);
    }

    function test_TheArbitersWindowIsTheLastOne() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(arbitrated());
        bring(life, CONTESTED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        complain(life, about);
        vm.warp(deadline(life));
        complain(life, about);
    }

    function testFuzz_NoOtherStateIsComplainedOf(uint256 seed) external {
        Life memory life = reachOther(seed, REVEALED, CONTESTED);
        IMarketplace.Complaint memory about = chunk(COUNT, 5, false, seed);
        refusedState(life, REVEALED);
        complain(life, about);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        refusedOffer(life);
        complain(life, about);
    }

    function test_AnotherKeyThanTheRevealedOneIsRefused() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        about.key = OTHER;
        refused(abi.encodeWithSelector(IMarketplace.WrongKey.selector, life.id, life.delivery.keyHash));
        complain(life, about);
    }

    function test_AnotherDeliveryIsRefused() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        bytes32 recorded = life.digest;
        commit(life, COUNT, chunk(COUNT, 6, false, 1));
        refused(abi.encodeWithSelector(IMarketplace.WrongDelivery.selector, life.id, recorded, life.digest));
        complain(life, about);
    }

    function test_AnIndexBeyondTheCountIsRefused() external {
        Life memory life = usual();
        IMarketplace.Complaint memory about = chunk(5, 5, false, 1);
        commit(life, 5, about);
        bring(life, REVEALED);
        refusedRange("index", 5, 0, 4);
        complain(life, about);
    }

    function test_APathOfAnotherLengthIsRefused() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        bytes32[] memory path = about.path;
        about.path = new bytes32[](14);
        refusedRange("path", 14, 15, 15);
        complain(life, about);
        about.path = new bytes32[](16);
        refusedRange("path", 16, 15, 15);
        complain(life, about);
        about.path = path;
        complain(life, about);
    }

    /// @dev The node above two leaves, passed as the leaf of a tree that is one level lower.
    function test_AnInnerNodeIsNoLeaf() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        about.cipher = abi.encodePacked(about.path[0], about.plainHash);
        bytes32[] memory path = new bytes32[](14);
        for (uint256 i = 0; i < 14; i++) {
            path[i] = about.path[i + 1];
        }
        (about.path, about.index) = (path, about.index / 2);
        refusedRange("path", 14, 15, 15);
        complain(life, about);
    }

    function test_AChunkOfAnotherSizeIsRefused() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        about.cipher = noise(1023, 1);
        refusedRange("cipher", 1023, 1024, 1024);
        complain(life, about);
        about.cipher = noise(1025, 1);
        refusedRange("cipher", 1025, 1024, 1024);
        complain(life, about);
    }

    function testFuzz_WhatIsNotCommittedToIsRefused(uint256 seed) external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        if (seed % 4 == 0) about.path[seed / 4 % 15] ^= bytes32(uint256(1) << seed / 64 % 256);
        if (seed % 4 == 1) about.cipher[seed / 4 % 1024] ^= bytes1(uint8(1 << seed / 4096 % 8));
        if (seed % 4 == 2) about.plainHash ^= bytes32(uint256(1) << seed / 4 % 256);
        if (seed % 4 == 3) about.index ^= uint32(1 << seed / 4 % 14);
        refused(abi.encodeWithSelector(IMarketplace.ChunkNotCommitted.selector, life.id, about.index));
        complain(life, about);
    }

    function test_ADeliveryThatWasProvenWrongIsNoStock() external {
        (Life memory life, IMarketplace.Complaint memory about) = wrong(usual());
        bring(life, REVEALED);
        complain(life, about);
        Life memory stock = stockOf(life);
        refused(abi.encodeWithSelector(IMarketplace.NotStock.selector, life.id));
        publishStock(stock, life);
    }

    function wrong(Life memory life) private view returns (Life memory, IMarketplace.Complaint memory about) {
        about = chunk(COUNT, 12_345, false, 1);
        commit(life, COUNT, about);
        return (life, about);
    }
}
