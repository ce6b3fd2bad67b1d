// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPermits} from "../../IPermits.sol";
import {Market} from "../Market.sol";

contract ExtendTest is Market {
    function test_TheEndMovesOnce() external {
        bytes32 id = grant(dataset, START, START + 100);
        vm.expectEmit(address(permits));
        emit IPermits.PermitExtended(id, uint40(START + 200), OTHER);
        extend(authority, id, START + 200);
        IPermits.Permit memory expected =
            IPermits.Permit(authority, buyer, PURPOSE, true, uint40(START), uint40(START + 200), 0);
        vm.assertEq(abi.encode(permits.getPermit(id)), abi.encode(expected), "permit");
        refused(abi.encodeWithSelector(IPermits.PermitAlreadyExtended.selector, id));
        extend(authority, id, START + 300);
    }

    function test_AnEndThatHasPassedMovesToo() external {
        bytes32 id = grant(dataset, START, START + 100);
        vm.warp(START + 101);
        extend(authority, id, START + 200);
        vm.assertTrue(permits.isLive(id, START + 101), "live");
    }

    function test_TheEndMovesByASecondToTenYears() external {
        uint256 end = START + 100;
        uint256 furthest = end + 3650 days;
        bytes32 id = grant(dataset, START, end);
        refusedTerm(id, end, end);
        refusedTerm(id, end, end - 1);
        refusedTerm(id, end, furthest + 1);
        extend(authority, id, furthest);
        vm.assertEq(permits.getPermit(id).to, furthest, "to");
    }

    function test_OnlyTheAuthorityExtends() external {
        bytes32 id = grant(dataset, START, START + 100);
        refused(abi.encodeWithSelector(IPermits.NotTheAuthority.selector, id, authority, buyer));
        extend(buyer, id, START + 200);
    }

    function test_ARevokedPermitIsNotExtended() external {
        bytes32 id = grant(dataset, START, START + 100);
        revoke(id);
        refused(abi.encodeWithSelector(IPermits.PermitAlreadyRevoked.selector, id, START));
        extend(authority, id, START + 200);
    }

    function test_AnUnknownPermitIsRefused() external {
        refused(abi.encodeWithSelector(IPermits.UnknownPermit.selector, OTHER));
        extend(authority, OTHER, START + 200);
    }

    function extend(address by, bytes32 permit, uint256 to) private {
        vm.prank(by);
        permits.extend(permit, uint40(to), OTHER);
    }

    function refusedTerm(bytes32 permit, uint256 from, uint256 to) private {
        refused(abi.encodeWithSelector(IPermits.PermitTermOutOfRange.selector, from, to, 3650 days));
        extend(authority, permit, to);
    }
}
