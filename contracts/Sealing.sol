// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title What the ledger computes again of a sealed result.
/// @notice `docs/sealing.md` defines every byte. H is SHA-256 of a one-byte tag and fields of fixed width, so inputs of
/// different kinds differ in their first byte: an inner node can never pass for a leaf.
/// @dev The assembly is held to a plain version of the same functions, `SealingReference`, by a test.
library Sealing {
    uint256 internal constant CHUNK_BYTES = 1024;

    uint8 private constant LEAF = 0;
    uint8 private constant NODE = 1;
    uint8 private constant PLAIN = 2;
    uint8 private constant KEY = 3;
    uint8 private constant CHUNK_KEY = 4;
    uint8 private constant STREAM = 5;

    /// @notice What a delivery commits to instead of its key: H(3, key).
    function hashKey(bytes32 key) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(KEY, key));
    }

    /// @notice The key of one chunk: H(4, key, index).
    function chunkKey(bytes32 key, uint32 index) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(CHUNK_KEY, key, index));
    }

    /// @notice A leaf of the commitment tree: H(0, index, plainHash, cipher).
    function hashLeaf(uint32 index, bytes32 plainHash, bytes calldata cipher) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(LEAF, index, plainHash, cipher));
    }

    /// @notice How deep the trees over `count` chunks are: the least depth with `2 ** depth >= count`, for `count`
    /// above zero.
    function depthOf(uint32 count) internal pure returns (uint256) {
        return Math.log2(count, Math.Rounding.Ceil);
    }

    /// @notice The root above the leaf at `index`. `path` has its siblings from the leaf upwards.
    function rootOf(uint32 index, bytes32 leaf, bytes32[] calldata path) internal view returns (bytes32 root) {
        root = leaf;
        assembly ("memory-safe") {
            let node := mload(0x40) // tag (1) | left (32) | right (32)
            mstore8(node, NODE)
            for { let level := 0 } lt(level, path.length) { level := add(level, 1) } {
                let own := shl(5, and(shr(level, index), 1)) // 0 where the node is the left child, 32 where the right
                mstore(add(add(node, 1), own), root)
                mstore(add(add(node, 33), sub(0, own)), calldataload(add(path.offset, shl(5, level))))
                if iszero(staticcall(gas(), 2, node, 65, 0, 32)) { revert(0, 0) }
                root := mload(0)
            }
        }
    }

    /// @notice The hash of what a chunk decrypts to under the key of its sale: H(2, index, cipher xor stream), where
    /// block `j` of the stream is H(5, chunkKey, j). `cipher` has `CHUNK_BYTES` bytes.
    function hashPlain(bytes32 key, uint32 index, bytes calldata cipher) internal view returns (bytes32 hash) {
        bytes32 seed = chunkKey(key, index);
        assembly ("memory-safe") {
            let counter := mload(0x40) // tag (1) | chunk key (32) | block (1)
            let plain := add(counter, 64) // tag (1) | index (4) | chunk (1024)
            mstore8(counter, STREAM)
            mstore(add(counter, 1), seed)
            mstore8(plain, PLAIN)
            mstore(add(plain, 1), shl(224, index))
            for { let part := 0 } lt(part, 32) { part := add(part, 1) } {
                mstore8(add(counter, 33), part)
                if iszero(staticcall(gas(), 2, counter, 34, 0, 32)) { revert(0, 0) }
                let at := shl(5, part)
                mstore(add(add(plain, 5), at), xor(calldataload(add(cipher.offset, at)), mload(0)))
            }
            if iszero(staticcall(gas(), 2, plain, 1029, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }
}
