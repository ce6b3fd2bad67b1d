// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPermits} from "./IPermits.sol";

/// @title Permits
contract Permits is IPermits {
    uint256 private constant LONGEST_TERM = 3650 days;
    uint256 private constant MOST_SUBJECTS = 64;

    mapping(bytes32 permit => Permit) private granted;
    mapping(bytes32 permit => mapping(bytes32 subject => bool)) private covered;

    /// @inheritdoc IPermits
    function grant(address holder, uint8 purpose, uint40 from, uint40 to, bytes32 document, bytes32[] calldata subjects)
        external
        returns (bytes32 permit)
    {
        requireTerm(from, to);
        uint256 count = subjects.length;
        require(count >= 1 && count <= MOST_SUBJECTS, SubjectsOutOfRange(count, 1, MOST_SUBJECTS));
        permit = keccak256(
            abi.encode(block.chainid, address(this), msg.sender, holder, purpose, from, to, document, subjects)
        );
        require(granted[permit].authority == address(0), PermitExists(permit));

        granted[permit] = Permit(msg.sender, holder, purpose, false, from, to, 0);
        for (uint256 i = 0; i < count; i++) {
            covered[permit][subjects[i]] = true;
        }
        emit PermitGranted(permit, msg.sender, holder, purpose, from, to, document, subjects);
    }

    /// @inheritdoc IPermits
    function extend(bytes32 permit, uint40 to, bytes32 document) external {
        Permit storage held = own(permit);
        require(!held.extended, PermitAlreadyExtended(permit));
        requireTerm(held.to, to);

        held.extended = true;
        held.to = to;
        emit PermitExtended(permit, to, document);
    }

    /// @inheritdoc IPermits
    function revoke(bytes32 permit, bytes32 document) external {
        Permit storage held = own(permit);

        held.revokedAt = uint40(block.timestamp);
        emit PermitRevoked(permit, document);
    }

    /// @inheritdoc IPermits
    function requirePermit(
        bytes32 permit,
        address authority,
        address holder,
        uint256 purposes,
        bytes32 offer,
        bytes32[] calldata datasets
    ) external view {
        Permit storage held = known(permit);
        require(held.authority == authority, NotTheAuthority(permit, held.authority, authority));
        require(held.holder == holder, NotTheHolder(permit, held.holder, holder));
        require(purposes >> held.purpose & 1 == 1, WrongPurpose(permit, held.purpose, purposes));
        requireLive(permit, block.timestamp);
        if (covered[permit][offer]) return;
        for (uint256 i = 0; i < datasets.length; i++) {
            require(covered[permit][datasets[i]], NotPermitted(permit, datasets[i]));
        }
    }

    /// @inheritdoc IPermits
    function requireLive(bytes32 permit, uint256 until) public view {
        Permit storage held = granted[permit];
        require(isLive(permit, block.timestamp), PermitNotLive(permit, held.from, held.to, held.revokedAt));
        require(until <= held.to, PermitEndsTooEarly(permit, held.to, until));
    }

    /// @inheritdoc IPermits
    function isLive(bytes32 permit, uint256 time) public view returns (bool) {
        Permit storage held = granted[permit];
        bool revoked = held.revokedAt != 0 && held.revokedAt <= time;
        return held.authority != address(0) && held.from <= time && time <= held.to && !revoked;
    }

    /// @inheritdoc IPermits
    function isFor(bytes32 permit, bytes32 subject) external view returns (bool) {
        return covered[permit][subject];
    }

    /// @inheritdoc IPermits
    function revokedAt(bytes32 permit) external view returns (uint40) {
        return granted[permit].revokedAt;
    }

    /// @inheritdoc IPermits
    function getPermit(bytes32 permit) external view returns (Permit memory) {
        return granted[permit];
    }

    function known(bytes32 permit) private view returns (Permit storage held) {
        held = granted[permit];
        require(held.authority != address(0), UnknownPermit(permit));
    }

    /// @dev The permit, for the authority that granted it, while it is not revoked.
    function own(bytes32 permit) private view returns (Permit storage held) {
        held = known(permit);
        require(msg.sender == held.authority, NotTheAuthority(permit, held.authority, msg.sender));
        require(held.revokedAt == 0, PermitAlreadyRevoked(permit, held.revokedAt));
    }

    function requireTerm(uint40 from, uint40 to) private pure {
        require(from < to && to - from <= LONGEST_TERM, PermitTermOutOfRange(from, to, LONGEST_TERM));
    }
}
