// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPermits} from "../../IPermits.sol";
import {Market} from "../Market.sol";

/// @dev What others ask of a permit.
contract LiveTest is Market {
    function testFuzz_APermitIsLiveFromItsFirstToItsLastSecondUnlessRevoked(
        uint40 from,
        uint40 term,
        uint40 time,
        uint40 when
    ) external {
        from = uint40(between(from, 1, START * 2));
        uint40 to = from + uint40(between(term, 1, 3650 days));
        time = uint40(between(time, from - 1, uint256(to) + 1));
        bytes32 id = grant(dataset, from, to);
        vm.assertTrue(permits.isLive(id, time) == (from <= time && time <= to), "unrevoked");
        when = uint40(between(when, from, uint256(to) + 1));
        vm.warp(when);
        revoke(id);
        vm.assertTrue(permits.isLive(id, time) == (from <= time && time <= to && time < when), "revoked");
    }

    function test_WhatWasNeverGrantedIsNeverLive() external view {
        vm.assertFalse(permits.isLive(OTHER, 0), "live");
        vm.assertEq(permits.revokedAt(OTHER), 0, "revokedAt");
    }

    function test_APermitThatIsNotLiveNowServesNothing() external {
        bytes32 id = grant(dataset, START + 1, START + 100);
        refusedDead(id, 0);
        permits.requireLive(id, START + 50);
        vm.warp(START + 1);
        permits.requireLive(id, START + 50);
        vm.warp(START + 101);
        refusedDead(id, 0);
        permits.requireLive(id, START + 50);
    }

    function test_APermitLastsAsLongAsItIsNeeded() external {
        bytes32 id = grant(dataset, START, START + 100);
        permits.requireLive(id, START + 100);
        bytes4 early = IPermits.PermitEndsTooEarly.selector;
        refused(abi.encodeWithSelector(early, id, START + 100, START + 101));
        permits.requireLive(id, START + 101);
    }

    function refusedDead(bytes32 permit, uint256 when) private {
        IPermits.Permit memory held = permits.getPermit(permit);
        refused(abi.encodeWithSelector(IPermits.PermitNotLive.selector, permit, held.from, held.to, when));
    }
}
