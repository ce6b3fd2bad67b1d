// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Sealing} from "../Sealing.sol";

/// @title What one proof of a wrong chunk costs
/// @notice A prototype for measuring only: it holds no money and no order. Three children differ in the stream hash
/// alone; all else is the ledger's own. `docs/sealing.md` defines every byte that is hashed here.
abstract contract StreamCost {
    bytes32 public immutable root;
    bytes32 public immutable keyHash;
    uint32 public immutable count;

    error WrongLength();
    error WrongKey();
    error WrongPath();
    error ChunkIsRight();

    constructor(bytes32 root_, bytes32 keyHash_, uint32 count_) {
        root = root_;
        keyHash = keyHash_;
        count = count_;
    }

    /// @notice Returns if the committed chunk does not decrypt to its committed hash; reverts otherwise.
    /// @param key The revealed 32 bytes `k`.
    /// @param index The chunk's place, below `count`.
    /// @param plainHash The committed `p_i`.
    /// @param chunk The committed `c_i`, 1,024 bytes.
    /// @param path Siblings from the leaf upwards, exactly the tree's depth.
    function prove(bytes32 key, uint32 index, bytes32 plainHash, bytes calldata chunk, bytes32[] calldata path)
        external
        view
    {
        if (chunk.length != Sealing.CHUNK_BYTES) revert WrongLength();
        if (Sealing.hashKey(key) != keyHash) revert WrongKey();
        if (index >= count || path.length != Sealing.depthOf(count)) revert WrongPath();
        if (Sealing.rootOf(index, Sealing.hashLeaf(index, plainHash, chunk), path) != root) revert WrongPath();
        if (plainHashOf(key, index, chunk) == plainHash) revert ChunkIsRight();
    }

    /// @dev Decrypts under the chunk's own key and hashes: `H(2, index, chunk xor stream)`.
    function plainHashOf(bytes32 key, uint32 index, bytes calldata chunk) internal view virtual returns (bytes32);
}

contract Sha256Stream is StreamCost {
    constructor(bytes32 root_, bytes32 keyHash_, uint32 count_) StreamCost(root_, keyHash_, count_) {}

    function plainHashOf(bytes32 key, uint32 index, bytes calldata chunk) internal view override returns (bytes32) {
        return Sealing.hashPlain(key, index, chunk);
    }
}

contract Keccak256Stream is StreamCost {
    constructor(bytes32 root_, bytes32 keyHash_, uint32 count_) StreamCost(root_, keyHash_, count_) {}

    function plainHashOf(bytes32 key, uint32 index, bytes calldata chunk)
        internal
        view
        override
        returns (bytes32 digest)
    {
        bytes32 chunkKey = Sealing.chunkKey(key, index);
        assembly ("memory-safe") {
            let input := mload(0x40)
            let plain := add(input, 64)
            mstore8(input, 5)
            mstore(add(input, 1), chunkKey)
            mstore8(plain, 2)
            mstore(add(plain, 1), shl(224, index))
            for { let block_ := 0 } lt(block_, 32) { block_ := add(block_, 1) } {
                mstore8(add(input, 33), block_)
                let at := shl(5, block_)
                mstore(add(add(plain, 5), at), xor(calldataload(add(chunk.offset, at)), keccak256(input, 34)))
            }
            if iszero(staticcall(gas(), 2, plain, 1029, 0, 32)) { revert(0, 0) }
            digest := mload(0)
        }
    }
}

/// @notice One call of the compression function F (EIP-152) gives a block of 64 bytes: unkeyed BLAKE2b-512 of 34 bytes
/// fits into one final block, so F starts from the parameterised vector, counts 34 bytes and sets the last-block flag.
contract Blake2bStream is StreamCost {
    constructor(bytes32 root_, bytes32 keyHash_, uint32 count_) StreamCost(root_, keyHash_, count_) {}

    function plainHashOf(bytes32 key, uint32 index, bytes calldata chunk)
        internal
        view
        override
        returns (bytes32 digest)
    {
        bytes32 chunkKey = Sealing.chunkKey(key, index);
        assembly ("memory-safe") {
            let input := mload(0x40)
            let plain := add(input, 224)
            // rounds (4) | vector h, little-endian words (64) | message (128) | counter (16) | last (1)
            mstore(input, shl(224, 12))
            mstore(add(input, 4), 0x48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5)
            mstore(add(input, 36), 0xd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b)
            calldatacopy(add(input, 68), calldatasize(), 160)
            mstore8(add(input, 68), 5)
            mstore(add(input, 69), chunkKey)
            mstore8(add(input, 196), 34)
            mstore8(add(input, 212), 1)
            mstore8(plain, 2)
            mstore(add(plain, 1), shl(224, index))
            for { let block_ := 0 } lt(block_, 16) { block_ := add(block_, 1) } {
                mstore8(add(input, 101), block_)
                if iszero(staticcall(gas(), 9, input, 213, 0, 64)) { revert(0, 0) }
                let at := shl(6, block_)
                let from := add(chunk.offset, at)
                let to := add(add(plain, 5), at)
                mstore(to, xor(calldataload(from), mload(0)))
                mstore(add(to, 32), xor(calldataload(add(from, 32)), mload(32)))
            }
            if iszero(staticcall(gas(), 2, plain, 1029, 0, 32)) { revert(0, 0) }
            digest := mload(0)
        }
    }
}
