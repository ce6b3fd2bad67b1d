// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMoney} from "../Market.sol";
import {HostileToken} from "./HostileToken.sol";
import {Model} from "./Model.sol";

/// @title Who plays, with which tokens, and how a move is made: what the model expects must happen, and nothing else may.
abstract contract World is Model {
    address internal constant NOBODY = address(0);

    address[] internal leads;
    address[] internal buyers;
    address[] internal everybody;
    HostileToken internal hostile_;
    address[] internal tokens;
    uint256 internal reentrySeed;
    mapping(string what => uint256) public made;
    mapping(string what => uint256) public refusals;

    function setUp() public virtual override {
        super.setUp();
        hostile_ = new HostileToken();
        tokens = [address(euro), address(hostile_)];
        leads = [provider, walletOf(named("wallet owner")), named("second provider")];
        buyers = [buyer, walletOf(named("buying owner")), named("second buyer"), address(hostile_)];
        everybody = [stranger, authority, arbiter, address(hostile_)];
        for (uint256 i = 0; i < leads.length; i++) {
            everybody.push(leads[i]);
        }
        for (uint256 i = 0; i < 3; i++) {
            everybody.push(buyers[i]);
        }
        for (uint256 t = 0; t < tokens.length; t++) {
            for (uint256 i = 0; i < everybody.length; i++) {
                IMoney(tokens[t]).mint(everybody[i], 1e36);
                vm.prank(everybody[i]);
                IMoney(tokens[t]).approve(address(rules), type(uint256).max);
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------ making a move

    /// @dev Calls and holds what comes of it against what was expected.
    function play(address by, bytes memory data, bool expected, string memory what) internal {
        playOn(address(rules), by, data, expected, what);
    }

    function playOn(address target, address by, bytes memory data, bool expected, string memory what) internal {
        vm.prank(by);
        (bool done, bytes memory answer) = target.call(data);
        if (done == expected) {
            if (done) made[what] += 1;
            else refusals[what] += 1;
            return;
        }
        if (done) revert(string.concat("should have been refused: ", what));
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    // --------------------------------------------------------------------------------------------------------- the tokens

    /// @dev Whether a payment to the contract arrives as it should.
    function arrives(address token, address from, uint256 amount) internal view returns (bool) {
        if (token != address(hostile_) || amount == 0) return true;
        HostileToken.Mood mood = hostile_.mood();
        bool exactly = mood != HostileToken.Mood.KeepsAFee && mood != HostileToken.Mood.MovesMore;
        return exactly && leaves(token, from);
    }

    /// @dev Whether a payment by the contract goes through.
    function leaves(address token, address to) internal view returns (bool) {
        if (token != address(hostile_)) return true;
        HostileToken.Mood mood = hostile_.mood();
        if (mood == HostileToken.Mood.Reverts || mood == HostileToken.Mood.SaysFalse) return false;
        return mood != HostileToken.Mood.BlocksSomebody || to != hostile_.blocked();
    }

    // ----------------------------------------------------------------------------------------------------------- choosing

    function one(address[] storage list, uint256 seed) internal view returns (address) {
        return list[seed % list.length];
    }

    /// @dev Mostly the right one, now and then anyone.
    function mostly(address right, uint256 seed) internal view returns (address) {
        return mix(seed, "who") % 8 == 0 ? one(everybody, mix(seed, "anyone")) : right;
    }

    /// @dev An order; mostly one in that state, if there is one.
    function choose(uint256 seed, IBooks.OrderState state) internal view returns (uint256) {
        uint256 count = bought.length;
        uint256 start = mix(seed, "order") % count;
        if (mix(seed, "any order") % 8 == 0) return start;
        for (uint256 i = 0; i < count; i++) {
            if (stateOf((start + i) % count) == state) return (start + i) % count;
        }
        return start;
    }

    function mix(uint256 seed, string memory label) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, label)));
    }
}
