// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPermits} from "../../IPermits.sol";
import {Market} from "../Market.sol";

contract RevokeTest is Market {
    function test_ARevocationIsToldAndKept() external {
        bytes32 id = grant(dataset, START, START + 100);
        vm.warp(START + 50);
        vm.expectEmit(address(permits));
        emit IPermits.PermitRevoked(id, DOCUMENT);
        revoke(id);
        vm.assertEq(permits.revokedAt(id), START + 50, "revokedAt");
        vm.assertEq(permits.getPermit(id).revokedAt, START + 50, "revokedAt");
    }

    function test_APermitIsRevokedOnce() external {
        bytes32 id = grant(dataset, START, START + 100);
        revoke(id);
        refused(abi.encodeWithSelector(IPermits.PermitAlreadyRevoked.selector, id, START));
        revoke(id);
    }

    function test_OnlyTheAuthorityRevokes() external {
        bytes32 id = grant(dataset, START, START + 100);
        refused(abi.encodeWithSelector(IPermits.NotTheAuthority.selector, id, authority, stranger));
        vm.prank(stranger);
        permits.revoke(id, DOCUMENT);
    }

    function test_AnUnknownPermitIsRefused() external {
        refused(abi.encodeWithSelector(IPermits.UnknownPermit.selector, OTHER));
        revoke(OTHER);
    }

    function test_ThePastStaysPermitted() external {
        bytes32 id = grant(dataset, START, START + 100);
        vm.warp(START + 50);
        revoke(id);
        vm.assertTrue(permits.isLive(id, START + 49), "before");
        vm.assertFalse(permits.isLive(id, START + 50), "from then on");
    }
}
