// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

import {TypedDataReference} from "../TypedDataReference.sol";

contract AcceptForTest is Market {
    function test_AnyoneHandsInTheBuyersWord() external {
        Life memory life = reach(DELIVERED);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderAccepted(life.id);
        acceptFor(life, life.digest, acceptance(life, buyer, life.digest));
        assertStands(life, ACCEPTED, IBooks.Reason.None);
    }

    function test_TheWordOfSomebodyElseIsRefused() external {
        Life memory life = reach(DELIVERED);
        refusedSignature(life, acceptance(life, stranger, life.digest));
    }

    function test_TheWordOverAnotherDeliveryIsRefused() external {
        Life memory life = reach(DELIVERED);
        bytes memory signature = acceptance(life, buyer, OTHER);
        refusedSignature(life, signature);
        refused(abi.encodeWithSelector(IMarketplace.WrongDelivery.selector, life.id, life.digest, OTHER));
        acceptFor(life, OTHER, signature);
    }

    function test_TheWordOverAnotherOrderIsRefused() external {
        Life memory life = usual();
        publish(life);
        stake(life, 2 * life.head.bond);
        walk(life, DELIVERED);
        bytes memory signature = acceptance(life, buyer, life.digest);
        another(life, 1);
        walk(life, DELIVERED);
        refusedSignature(life, signature);
    }

    function test_TheOrdersOwnSignatureIsNoWord() external {
        Life memory life = reach(DELIVERED);
        refusedSignature(life, sign(buyer, life.id));
        refusedSignature(life, sign(buyer, life.digest));
    }

    function test_TheWordForAnotherChainIsRefused() external {
        Life memory life = reach(DELIVERED);
        vm.chainId(CHAIN + 1);
        bytes memory signature = acceptance(life, buyer, life.digest);
        vm.chainId(CHAIN);
        refusedSignature(life, signature);
    }

    function test_TheWordForAnotherContractIsRefused() external {
        Life memory life = reach(DELIVERED);
        bytes32 structHash = TypedDataReference.acceptance(life.id, life.digest);
        refusedSignature(life, sign(buyer, TypedDataReference.digest(stranger, structHash)));
    }

    function test_ASignatureInItsOtherFormIsRefused() external {
        Life memory life = reach(DELIVERED);
        refusedSignature(life, mirrored(acceptance(life, buyer, life.digest)));
    }

    function test_AnEmptySignatureIsRefused() external {
        refusedSignature(reach(DELIVERED), "");
    }

    function test_AWalletAcceptsByItsOwnCode() external {
        Life memory life = usual();
        life.order.buyer = walletOf(buyer);
        fund(euro, life.order.buyer);
        rename(life);
        bring(life, DELIVERED);
        refusedSignature(life, acceptance(life, stranger, life.digest));
        acceptFor(life, life.digest, acceptance(life, buyer, life.digest));
        assertStands(life, ACCEPTED, IBooks.Reason.None);
    }

    function test_TheWordCountsToTheLastSecondAndNotAfter() external {
        Life memory life = reach(DELIVERED);
        bytes memory signature = acceptance(life, buyer, life.digest);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        acceptFor(life, life.digest, signature);
        vm.warp(deadline(life));
        acceptFor(life, life.digest, signature);
    }

    function test_TheWordCountsOnce() external {
        Life memory life = reach(ACCEPTED);
        refusedState(life, DELIVERED);
        acceptFor(life, life.digest, acceptance(life, buyer, life.digest));
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(DELIVERED);
        bytes memory signature = acceptance(life, buyer, life.digest);
        refusedOffer(life);
        acceptFor(life, life.digest, signature);
    }

    function acceptance(Life memory life, address signer, bytes32 digest) private view returns (bytes memory) {
        return sign(signer, digestOf(TypedDataReference.acceptance(life.id, digest)));
    }

    function acceptFor(Life memory life, bytes32 digest, bytes memory signature) private {
        vm.prank(stranger);
        rules.acceptFor(life.head, life.membersHash, life.order, digest, signature);
    }

    function refusedSignature(Life memory life, bytes memory signature) private {
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, life.order.buyer));
        acceptFor(life, life.digest, signature);
    }
}
