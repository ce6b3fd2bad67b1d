// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../IMarketplace.sol";
import {Market} from "./Market.sol";

/// @dev `test-doubles/SealingReference.sol`.
interface ISealingReference {
    function rootOf(uint32 index, bytes32 leaf, bytes32[] calldata path) external pure returns (bytes32);
    function hashPlain(bytes32 key, uint32 index, bytes calldata cipher) external pure returns (bytes32);
    function depthOf(uint32 count) external pure returns (uint256);
}

/// @title Deliveries with a chunk that does not open to its hash, or one that does.
abstract contract WrongChunk is Market {
    ISealingReference internal plainly;

    function setUp() public virtual override {
        super.setUp();
        plainly = ISealingReference(vm.deployCode("SealingReference.sol:SealingReference"));
    }

    /// @dev A chunk at `index` of `count`, which opens to its hash or to another, and the way up to a root.
    function chunk(uint32 count, uint32 index, bool right, uint256 seed)
        internal
        view
        returns (IMarketplace.Complaint memory about)
    {
        (about.key, about.index, about.cipher) = (KEY, index, noise(1024, seed));
        about.plainHash = right ? plainly.hashPlain(KEY, index, about.cipher) : keccak256(abi.encode(seed));
        about.path = new bytes32[](plainly.depthOf(count));
        for (uint256 i = 0; i < about.path.length; i++) {
            about.path[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// @dev Makes the order's delivery one of `count` chunks that commits to this one.
    function commit(Life memory life, uint32 count, IMarketplace.Complaint memory about) internal view {
        life.delivery.count = count;
        life.delivery.commitmentRoot = rootOf(about);
        rename(life);
    }

    function rootOf(IMarketplace.Complaint memory about) internal view returns (bytes32) {
        bytes32 leaf = sha256(abi.encodePacked(uint8(0), about.index, about.plainHash, about.cipher));
        return plainly.rootOf(about.index, leaf, about.path);
    }

    function complain(Life memory life, IMarketplace.Complaint memory about) internal {
        vm.prank(life.order.buyer);
        rules.complain(life.head, life.membersHash, life.order, life.delivery, about);
    }

    function noise(uint256 size, uint256 seed) internal pure returns (bytes memory data) {
        for (uint256 i = 0; data.length < size; i++) {
            data = bytes.concat(data, keccak256(abi.encode("noise", seed, i)));
        }
        assembly ("memory-safe") {
            mstore(data, size)
        }
    }
}
