// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What Forge's machine does for a test, as far as the tests here ask for it.
interface Cheats {
    function warp(uint256 time) external;
    function prank(address sender) external;
    function chainId(uint256 id) external;
    function label(address account, string calldata name) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function deployCode(string calldata artifact) external returns (address);
    function deployCode(string calldata artifact, bytes calldata arguments) external returns (address);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function store(address target, bytes32 slot, bytes32 value) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert(bytes4 selector) external;
    function expectEmit(address emitter) external;
    function assume(bool condition) external pure;

    function toString(uint256 value) external pure returns (string memory);

    function assertTrue(bool condition, string calldata words) external pure;
    function assertFalse(bool condition, string calldata words) external pure;
    function assertEq(uint256 left, uint256 right, string calldata words) external pure;
    function assertEq(address left, address right, string calldata words) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata words) external pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata words) external pure;
    function assertNotEq(bytes32 left, bytes32 right, string calldata words) external pure;
    function assertLe(uint256 left, uint256 right, string calldata words) external pure;
    function assertGe(uint256 left, uint256 right, string calldata words) external pure;
    function assertLt(uint256 left, uint256 right, string calldata words) external pure;
}

/// @title What every test begins with.
abstract contract Test {
    bool public constant IS_TEST = true;

    Cheats internal constant vm = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));

    mapping(address account => uint256 key) private keys;

    /// @dev An account without code: the same for the same name.
    function named(string memory name) internal returns (address account) {
        uint256 key = uint256(keccak256(bytes(name)));
        account = vm.addr(key);
        keys[account] = key;
        vm.label(account, name);
    }

    /// @dev A contract that takes the signatures of a named account for its own (ERC-1271).
    function walletOf(address owner) internal returns (address wallet) {
        wallet = vm.deployCode("Wallet.sol:Wallet", abi.encode(owner));
        keys[wallet] = keys[owner];
    }

    /// @dev A named account's signature: r, s, v. For a wallet, its owner's.
    function sign(address account, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = split(account, digest);
        return abi.encodePacked(r, s, v);
    }

    function split(address account, bytes32 digest) internal view returns (uint8 v, bytes32 r, bytes32 s) {
        return vm.sign(keys[account], digest);
    }

    /// @dev The same signature in the other form that the curve allows.
    function mirrored(bytes memory signature) internal pure returns (bytes memory) {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        (bytes32 r, bytes32 s) = (bytes32(0), bytes32(0));
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
        }
        return abi.encodePacked(r, order - uint256(s), signature[64] == bytes1(uint8(27)) ? uint8(28) : uint8(27));
    }

    /// @dev `seed` brought between `least` and `most`. Each end comes about once in eight times, for faults live there.
    function between(uint256 seed, uint256 least, uint256 most) internal pure returns (uint256) {
        if (seed % 8 == 0) return least;
        if (seed % 8 == 1) return most;
        uint256 size = most - least;
        return size == type(uint256).max ? seed : least + seed / 8 % (size + 1);
    }
}
