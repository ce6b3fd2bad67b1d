// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {WrongChunk} from "../WrongChunk.sol";

/// @dev `test-doubles/SealingReference.sol`: the product's library for anyone to call.
interface IOpenSealing {
    function rootOf(uint32 index, bytes32 leaf, bytes32[] calldata path) external view returns (bytes32);
    function hashPlain(bytes32 key, uint32 index, bytes calldata cipher) external view returns (bytes32);
    function hashLeaf(uint32 index, bytes32 plainHash, bytes calldata cipher) external pure returns (bytes32);
    function hashKey(bytes32 key) external pure returns (bytes32);
    function depthOf(uint32 count) external pure returns (uint256);
}

/// @dev The assembly against the same written plainly.
contract SealingTest is WrongChunk {
    IOpenSealing private open;

    function setUp() public override {
        super.setUp();
        open = IOpenSealing(vm.deployCode("SealingReference.sol:OpenSealing"));
    }

    function testFuzz_TheStreamIsThatOfThePlainVersion(bytes32 key, uint32 index, uint256 seed) external view {
        bytes memory cipher = noise(1024, seed);
        vm.assertEq(open.hashPlain(key, index, cipher), plainly.hashPlain(key, index, cipher), "hash");
    }

    function testFuzz_TheTreeIsThatOfThePlainVersion(uint32 index, bytes32 leaf, bytes32[] calldata path)
        external
        view
    {
        vm.assume(path.length <= 32);
        vm.assertEq(open.rootOf(index, leaf, path), plainly.rootOf(index, leaf, path), "root");
    }

    function testFuzz_TheDepthIsTheLeastThatIsEnough(uint32 count) external view {
        count = count == 0 ? 1 : count;
        uint256 depth = open.depthOf(count);
        vm.assertGe(uint256(1) << depth, count, "enough");
        if (depth > 0) vm.assertLt(uint256(1) << (depth - 1), count, "least");
    }

    function testFuzz_ALeafIsTheHashOfItsFields(uint32 index, bytes32 plainHash, uint256 seed) external view {
        bytes memory cipher = noise(1024, seed);
        bytes32 expected = sha256(abi.encodePacked(uint8(0), index, plainHash, cipher));
        vm.assertEq(open.hashLeaf(index, plainHash, cipher), expected, "leaf");
    }

    function testFuzz_AKeyIsHashedUnderItsTag(bytes32 key) external view {
        vm.assertEq(open.hashKey(key), sha256(abi.encodePacked(uint8(3), key)), "key");
    }
}
