// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IPermits} from "../../IPermits.sol";
import {HostileToken, IReentered} from "./HostileToken.sol";
import {World} from "./World.sol";

/// @title What happens around an order: time passes, authorities decide, tokens change their minds.
abstract contract Surroundings is World, IReentered {
    /// @dev A step that an order may take, which calls no token.
    function stepOn(uint256 order, uint256 seed) internal virtual;

    /// @dev Some seconds, or to one second before, at or after the next deadline of an order.
    function timePasses(uint256 seed) internal {
        uint256 next = type(uint256).max;
        for (uint256 i = 0; i < bought.length; i++) {
            uint256 last = bought[i].standing.deadline;
            if (last > block.timestamp && last < next) next = last;
        }
        bool jump = next != type(uint256).max && mix(seed, "jump") % 2 == 0;
        vm.warp(jump ? next + mix(seed, "side") % 3 - 1 : block.timestamp + mix(seed, "seconds") % 1 hours);
    }

    function authoritiesDecide(uint256 seed) internal {
        uint256 what = mix(seed, "what") % 4;
        if (what < 2 && permitsGranted.length < 32) grantFor(seed, between(mix(seed, "term"), 0, 40 days));
        if (what == 2 && permitsGranted.length > 0) extend_(seed);
        if (what == 3 && permitsGranted.length > 0) revoke_(seed);
    }

    function grantFor(uint256 seed, uint256 term) internal {
        uint256 which = anyPermitted(seed);
        address holder = one(buyers, mix(seed, "holder"));
        uint40 from = uint40(block.timestamp + mix(seed, "from") % 3 * 1 hours - 1 hours);
        uint40 to = from + uint40(term);
        bytes32[] memory subjects = new bytes32[](1);
        subjects[0] = sold[which].id;
        bytes32 document = keccak256(abi.encode(permitsGranted.length));
        bytes memory all = abi.encode(CHAIN, address(permits), authority, holder, PURPOSE, from, to, document, subjects);
        if (term > 0) {
            permitsGranted.push(Granted(keccak256(all), holder, which, from, to, 0, false));
            permitAt[keccak256(all)] = permitsGranted.length;
        }
        bytes memory data = abi.encodeCall(IPermits.grant, (holder, PURPOSE, from, to, document, subjects));
        playOn(address(permits), authority, data, term > 0, "grant");
    }

    /// @dev An offer under an authority, if there is one.
    function anyPermitted(uint256 seed) private view returns (uint256 which) {
        which = mix(seed, "offer") % sold.length;
        for (uint256 i = 0; i < sold.length && offerOf(which).head.authority == NOBODY; i++) {
            which = (which + 1) % sold.length;
        }
    }

    function extend_(uint256 seed) private {
        Granted storage granted = permitsGranted[mix(seed, "permit") % permitsGranted.length];
        address by = mostly(authority, seed);
        uint256 to = granted.to + mix(seed, "to") % 10 days;
        bool fine = by == authority && !granted.extended && granted.revokedAt == 0 && to > granted.to;
        bytes memory data = abi.encodeCall(IPermits.extend, (granted.id, uint40(to), DOCUMENT));
        if (fine) (granted.to, granted.extended) = (to, true);
        playOn(address(permits), by, data, fine, "extend");
    }

    function revoke_(uint256 seed) private {
        Granted storage granted = permitsGranted[mix(seed, "permit") % permitsGranted.length];
        address by = mostly(authority, seed);
        bool fine = by == authority && granted.revokedAt == 0;
        if (fine) granted.revokedAt = block.timestamp;
        playOn(address(permits), by, abi.encodeCall(IPermits.revoke, (granted.id, DOCUMENT)), fine, "revoke");
    }

    function tokensChange(uint256 seed) internal {
        if (mix(seed, "donation") % 4 == 0) return donate(seed);
        HostileToken.Mood mood = HostileToken.Mood(mix(seed, "mood") % 8);
        bool backIn = mood == HostileToken.Mood.ComesBackIn;
        reentrySeed = seed;
        hostile_.be(mood, backIn ? address(this) : one(everybody, mix(seed, "blocked")));
    }

    function donate(uint256 seed) private {
        address token = one(tokens, mix(seed, "token"));
        uint256 amount = between(mix(seed, "amount"), 0, EURO);
        donated[token] += amount;
        (bool done,) = token.call(abi.encodeCall(HostileToken.mint, (address(rules), amount)));
        require(done, "a donation failed");
    }

    /// @dev In the middle of a payment somebody does something else. What pays is refused there; what does not is as good
    /// as at any other time.
    function reenter() external {
        uint256 seed = mix(reentrySeed, "again");
        reentrySeed = seed;
        hostile_.be(HostileToken.Mood.ComesBackIn, address(0)); // once
        if (bought.length > 0) stepOn(mix(seed, "order") % bought.length, seed);
        bytes memory data = abi.encodeCall(IMarketplace.withdrawCredit, (address(hostile_), 1));
        play(address(hostile_), data, false, "withdrawCredit while another pays");
        data = abi.encodeCall(IMarketplace.stake, (address(hostile_), 1));
        play(address(hostile_), data, false, "stake while another pays");
    }
}
