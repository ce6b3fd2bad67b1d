// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../IBooks.sol";

/// @title What `TypedData` hashes, written plainly from EIP-712 for a marketplace at `market` on this chain.
library TypedDataReference {
    string private constant HEAD = "Head(address lead,uint8 kind,uint8 guarantee,address token,uint128 cost,"
        "uint128 margin,uint64 delta,uint32 deliverWindow,uint32 acceptWindow,uint32 revealWindow,"
        "uint32 challengeWindow,uint32 ruleWindow,uint64 licenceSeconds,uint16 computeFeeBps,uint128 bond,"
        "uint128 contestDeposit,uint32 maxOpen,bytes32 terms,uint256 purposes,address authority,address arbiter,"
        "bytes32 stock,uint8 unit,uint64 validUntil)";
    string private constant MEMBER = "Member(bytes32 dataset,address provider,uint16 shareBps,uint64 rhoMicro)";
    string private constant OFFER = "Offer(Head head,Member[] members)";
    string private constant CONSENT = "Consent(Offer offer,uint64 until)";
    string private constant ORDER = "Order(bytes32 offer,address buyer,bytes32 specification,uint256 versions,"
        "bytes32 permit,uint64 placeBy)";
    string private constant DELIVERY = "Delivery(bytes32 order,bytes32 commitmentRoot,bytes32 plainRoot,"
        "bytes32 keyHash,bytes32 object,bytes32 manifest,uint32 count,uint8 objectCodec)";
    string private constant ACCEPTANCE = "Acceptance(bytes32 order,bytes32 delivery)";
    string private constant DOMAIN =
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

    function domain(address market) internal view returns (bytes32) {
        bytes32 name = keccak256("Agora Health");
        return keccak256(abi.encode(typehash(DOMAIN), name, keccak256("1"), block.chainid, market));
    }

    function digest(address market, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain(market), structHash));
    }

    function members(IBooks.Member[] memory list) internal pure returns (bytes32) {
        bytes memory words = abi.encode(uint256(32), list.length);
        for (uint256 i = 0; i < list.length; i++) {
            IBooks.Member memory member = list[i];
            words = bytes.concat(words, abi.encode(member.dataset, member.provider, member.shareBps, member.rhoMicro));
        }
        return keccak256(words);
    }

    function offerId(IBooks.Head memory head, bytes32 membersHash) internal pure returns (bytes32) {
        bytes32 headHash = keccak256(abi.encode(typehash(HEAD), head));
        return keccak256(abi.encode(typehash("OfferId(bytes32 head,bytes32 members)"), headHash, membersHash));
    }

    function offer(IBooks.Head memory head, IBooks.Member[] memory list) internal pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < list.length; i++) {
            IBooks.Member memory member = list[i];
            bytes memory data = abi.encode(member.dataset, member.provider, member.shareBps, member.rhoMicro);
            hashes = bytes.concat(hashes, keccak256(bytes.concat(typehash(MEMBER), data)));
        }
        bytes32 headHash = keccak256(abi.encode(typehash(HEAD), head));
        return keccak256(abi.encode(typehash(string.concat(OFFER, HEAD, MEMBER)), headHash, keccak256(hashes)));
    }

    function consent(bytes32 offerHash, uint64 until) internal pure returns (bytes32) {
        return keccak256(abi.encode(typehash(string.concat(CONSENT, HEAD, MEMBER, OFFER)), offerHash, until));
    }

    function order(IBooks.Order memory order_) internal pure returns (bytes32) {
        return keccak256(abi.encode(typehash(ORDER), order_));
    }

    function delivery(bytes32 order_, IBooks.Delivery memory delivery_) internal pure returns (bytes32) {
        return keccak256(abi.encode(typehash(DELIVERY), order_, delivery_));
    }

    function acceptance(bytes32 order_, bytes32 delivery_) internal pure returns (bytes32) {
        return keccak256(abi.encode(typehash(ACCEPTANCE), order_, delivery_));
    }

    function typehash(string memory text) private pure returns (bytes32) {
        return keccak256(bytes(text));
    }
}
