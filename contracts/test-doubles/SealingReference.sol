// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Sealing} from "../Sealing.sol";

/// @title The same hashes as in `Sealing`, written plainly.
contract SealingReference {
    function rootOf(uint32 index, bytes32 leaf, bytes32[] calldata path) external pure returns (bytes32 root) {
        root = leaf;
        for (uint256 level = 0; level < path.length; level++) {
            bool right = index / 2 ** level % 2 == 1;
            (bytes32 first, bytes32 second) = right ? (path[level], root) : (root, path[level]);
            root = sha256(abi.encodePacked(uint8(1), first, second));
        }
    }

    function hashPlain(bytes32 key, uint32 index, bytes calldata cipher) external pure returns (bytes32) {
        bytes32 seed = sha256(abi.encodePacked(uint8(4), key, index));
        bytes memory chunk;
        for (uint8 part = 0; part < 32; part++) {
            bytes32 mask = sha256(abi.encodePacked(uint8(5), seed, part));
            chunk = bytes.concat(chunk, bytes32(cipher[uint256(part) * 32:uint256(part) * 32 + 32]) ^ mask);
        }
        return sha256(abi.encodePacked(uint8(2), index, chunk));
    }

    function depthOf(uint32 count) external pure returns (uint256 depth) {
        while (2 ** depth < count) depth++;
    }
}

/// @title The library's functions for anyone to call.
contract OpenSealing {
    function rootOf(uint32 index, bytes32 leaf, bytes32[] calldata path) external view returns (bytes32) {
        return Sealing.rootOf(index, leaf, path);
    }

    function hashPlain(bytes32 key, uint32 index, bytes calldata cipher) external view returns (bytes32) {
        return Sealing.hashPlain(key, index, cipher);
    }

    function hashLeaf(uint32 index, bytes32 plainHash, bytes calldata cipher) external pure returns (bytes32) {
        return Sealing.hashLeaf(index, plainHash, cipher);
    }

    function hashKey(bytes32 key) external pure returns (bytes32) {
        return Sealing.hashKey(key);
    }

    function depthOf(uint32 count) external pure returns (uint256) {
        return Sealing.depthOf(count);
    }
}
