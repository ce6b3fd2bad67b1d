// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPermits} from "../../IPermits.sol";
import {Market} from "../Market.sol";

contract GrantTest is Market {
    function test_APermitIsNamedByAllThatItSays() external {
        bytes32[] memory subjects = both();
        uint40 last = uint40(START + 1 days);
        bytes memory all = abi.encode(
            block.chainid, address(permits), authority, buyer, PURPOSE, uint40(START), last, DOCUMENT, subjects
        );
        bytes32 id = keccak256(all);
        vm.expectEmit(address(permits));
        emit IPermits.PermitGranted(id, authority, buyer, PURPOSE, uint40(START), last, DOCUMENT, subjects);
        vm.assertEq(grantFor(subjects, uint40(START), last), id, "id");
        IPermits.Permit memory expected = IPermits.Permit(authority, buyer, PURPOSE, false, uint40(START), last, 0);
        vm.assertEq(abi.encode(permits.getPermit(id)), abi.encode(expected), "permit");
    }

    function test_APermitIsForItsSubjectsAndNoOthers() external {
        bytes32 id = grantFor(both(), uint40(START), uint40(START + 1));
        vm.assertTrue(permits.isFor(id, dataset) && permits.isFor(id, OTHER), "its subjects");
        vm.assertFalse(permits.isFor(id, DOCUMENT), "another");
    }

    function test_APermitLastsASecondToTenYears() external {
        grantFor(both(), uint40(START), uint40(START + 1));
        grantFor(both(), uint40(START), uint40(START + 3650 days));
        refusedTerm(START, START);
        refusedTerm(START, START - 1);
        refusedTerm(START, START + 3650 days + 1);
    }

    function test_APermitHasOneToSixtyFourSubjects() external {
        grantFor(new bytes32[](64), uint40(START), uint40(START + 1));
        refused(abi.encodeWithSelector(IPermits.SubjectsOutOfRange.selector, 0, 1, 64));
        grantFor(new bytes32[](0), uint40(START), uint40(START + 1));
        refused(abi.encodeWithSelector(IPermits.SubjectsOutOfRange.selector, 65, 1, 64));
        grantFor(new bytes32[](65), uint40(START), uint40(START + 1));
    }

    function test_APermitIsGrantedOnce() external {
        bytes32 id = grantFor(both(), uint40(START), uint40(START + 1));
        refused(abi.encodeWithSelector(IPermits.PermitExists.selector, id));
        grantFor(both(), uint40(START), uint40(START + 1));
    }

    function test_ARevokedPermitIsNotGrantedAgain() external {
        bytes32 id = grantFor(both(), uint40(START), uint40(START + 1));
        revoke(id);
        refused(abi.encodeWithSelector(IPermits.PermitExists.selector, id));
        grantFor(both(), uint40(START), uint40(START + 1));
    }

    function test_APermitMayBeginInThePast() external {
        bytes32 id = grantFor(both(), 1, uint40(3650 days));
        vm.assertTrue(permits.isLive(id, 1), "live");
    }

    function refusedTerm(uint256 from, uint256 to) private {
        refused(abi.encodeWithSelector(IPermits.PermitTermOutOfRange.selector, from, to, 3650 days));
        grantFor(both(), uint40(from), uint40(to));
    }

    function grantFor(bytes32[] memory subjects, uint40 from, uint40 to) private returns (bytes32) {
        vm.prank(authority);
        return permits.grant(buyer, PURPOSE, from, to, DOCUMENT, subjects);
    }

    function both() private view returns (bytes32[] memory subjects) {
        subjects = new bytes32[](2);
        (subjects[0], subjects[1]) = (dataset, OTHER);
    }
}
