// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "./IBooks.sol";
import {IMarketplace} from "./IMarketplace.sol";

/// @title EIP-712 struct hashes of what the marketplace names and what its users sign.
/// @notice Under the contract's domain these become the ids of offers and orders, the delivery hash and what a buyer
/// signs. A struct of the interface has its fields in the order of its type, so one encoding serves both.
///
/// Off the ledger, in the same domain, a provider signs `Certificate(bytes32 order,bytes32 document)`.
library TypedData {
    bytes32 private constant HEAD_TYPEHASH = keccak256(
        "Head(address lead,uint8 kind,uint8 guarantee,address token,uint128 cost,uint128 margin,uint64 delta,"
        "uint32 deliverWindow,uint32 acceptWindow,uint32 revealWindow,uint32 challengeWindow,uint32 ruleWindow,"
        "uint64 licenceSeconds,uint16 computeFeeBps,uint128 bond,uint128 contestDeposit,uint32 maxOpen,bytes32 terms,"
        "uint256 purposes,address authority,address arbiter,bytes32 stock,uint8 unit,uint64 validUntil)"
    );
    bytes32 private constant MEMBER_TYPEHASH =
        keccak256("Member(bytes32 dataset,address provider,uint16 shareBps,uint64 rhoMicro)");
    bytes32 private constant OFFER_ID_TYPEHASH = keccak256("OfferId(bytes32 head,bytes32 members)");
    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "Offer(Head head,Member[] members)"
        "Head(address lead,uint8 kind,uint8 guarantee,address token,uint128 cost,uint128 margin,uint64 delta,"
        "uint32 deliverWindow,uint32 acceptWindow,uint32 revealWindow,uint32 challengeWindow,uint32 ruleWindow,"
        "uint64 licenceSeconds,uint16 computeFeeBps,uint128 bond,uint128 contestDeposit,uint32 maxOpen,bytes32 terms,"
        "uint256 purposes,address authority,address arbiter,bytes32 stock,uint8 unit,uint64 validUntil)"
        "Member(bytes32 dataset,address provider,uint16 shareBps,uint64 rhoMicro)"
    );
    bytes32 private constant CONSENT_TYPEHASH = keccak256(
        "Consent(Offer offer,uint64 until)"
        "Head(address lead,uint8 kind,uint8 guarantee,address token,uint128 cost,uint128 margin,uint64 delta,"
        "uint32 deliverWindow,uint32 acceptWindow,uint32 revealWindow,uint32 challengeWindow,uint32 ruleWindow,"
        "uint64 licenceSeconds,uint16 computeFeeBps,uint128 bond,uint128 contestDeposit,uint32 maxOpen,bytes32 terms,"
        "uint256 purposes,address authority,address arbiter,bytes32 stock,uint8 unit,uint64 validUntil)"
        "Member(bytes32 dataset,address provider,uint16 shareBps,uint64 rhoMicro)" "Offer(Head head,Member[] members)"
    );
    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(bytes32 offer,address buyer,bytes32 specification,uint256 versions,bytes32 permit,uint64 placeBy)"
    );
    bytes32 private constant DELIVERY_TYPEHASH = keccak256(
        "Delivery(bytes32 order,bytes32 commitmentRoot,bytes32 plainRoot,bytes32 keyHash,bytes32 object,"
        "bytes32 manifest,uint32 count,uint8 objectCodec)"
    );
    bytes32 private constant ACCEPTANCE_TYPEHASH = keccak256("Acceptance(bytes32 order,bytes32 delivery)");

    /// @dev Where the arguments of a call stand in its calldata. Every function about an offer begins with its head,
    /// and every function about an order goes on with one word, the order and, where there is one, its delivery. These
    /// structs are static, so the ABI puts each of their fields into a word of its own at these places. Where a call
    /// has members, the word behind the head says where they stand.
    uint256 private constant HEAD = 4;
    uint256 private constant HEAD_END = HEAD + 24 * 32;
    uint256 private constant ORDER = HEAD_END + 32;
    uint256 private constant ORDER_END = ORDER + 6 * 32;
    uint256 private constant DELIVERY_END = ORDER_END + 7 * 32;
    uint256 private constant MEMBER_BYTES = 4 * 32;

    // What this call is about. The same hashes as of the structs below, from the words as they came: looking at each
    // field would cost every step of an order some 3,000 gas. Bits that a field does not have are hashed too instead of
    // refused, so a struct that has such bits is the one of no offer, order or delivery.

    function hashCalledHead() internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(HEAD_TYPEHASH, msg.data[HEAD:HEAD_END]));
    }

    /// @dev The same as `hashMembers`: where they stand, the ABI puts their number before their words.
    function hashCalledMembers(uint256 count) internal pure returns (bytes32) {
        uint256 at = HEAD + uint256(bytes32(msg.data[HEAD_END:ORDER]));
        return keccak256(abi.encodePacked(uint256(32), msg.data[at:at + 32 + count * MEMBER_BYTES]));
    }

    function hashCalledOrder() internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(ORDER_TYPEHASH, msg.data[ORDER:ORDER_END]));
    }

    function hashCalledDelivery(bytes32 order) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(DELIVERY_TYPEHASH, order, msg.data[ORDER_END:DELIVERY_END]));
    }

    // Structs, wherever they stand.

    function hashOrder(IBooks.Order calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(ORDER_TYPEHASH, order));
    }

    function hashDelivery(bytes32 order, IBooks.Delivery calldata delivery) internal pure returns (bytes32) {
        return keccak256(abi.encode(DELIVERY_TYPEHASH, order, delivery));
    }

    function hashMembers(IBooks.Member[] calldata members) internal pure returns (bytes32) {
        return keccak256(abi.encode(members));
    }

    function hashOfferId(bytes32 head, bytes32 members) internal pure returns (bytes32) {
        return keccak256(abi.encode(OFFER_ID_TYPEHASH, head, members));
    }

    /// @dev Every field of every member, so that who signs an offer sees them.
    function hashOffer(bytes32 head, IBooks.Member[] calldata members) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            hashes[i] = keccak256(abi.encode(MEMBER_TYPEHASH, members[i]));
        }
        return keccak256(abi.encode(OFFER_TYPEHASH, head, keccak256(abi.encodePacked(hashes))));
    }

    function hashConsent(bytes32 offer, uint64 until) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONSENT_TYPEHASH, offer, until));
    }

    function hashAcceptance(bytes32 order, bytes32 delivery) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE_TYPEHASH, order, delivery));
    }
}
