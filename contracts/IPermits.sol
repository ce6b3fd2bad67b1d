// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What authorities grant: that somebody may buy results for a purpose and a time.
/// @notice Any account may grant permits; an offer says whose it asks for. A permit is live from its first to its last
/// second unless it was revoked.
///
/// Warning: a permit here records an authority's decision and does not replace it.
interface IPermits {
    /// @notice What the ledger keeps of a permit.
    /// @param holder Who may buy with it.
    /// @param purpose The purpose's code, 0 to 255.
    /// @param extended Whether its end was moved.
    /// @param from The first second at which it is live.
    /// @param to The last.
    /// @param revokedAt When it was revoked; zero if it was not.
    struct Permit {
        address authority;
        address holder;
        uint8 purpose;
        bool extended;
        uint40 from;
        uint40 to;
        uint40 revokedAt;
    }

    event PermitGranted(
        bytes32 indexed permit,
        address indexed authority,
        address indexed holder,
        uint8 purpose,
        uint40 from,
        uint40 to,
        bytes32 document,
        bytes32[] subjects
    );
    event PermitExtended(bytes32 indexed permit, uint40 to, bytes32 document);
    event PermitRevoked(bytes32 indexed permit, bytes32 document);

    error PermitTermOutOfRange(uint40 from, uint40 to, uint256 longest);
    error SubjectsOutOfRange(uint256 given, uint256 least, uint256 most);
    error PermitExists(bytes32 permit);
    error UnknownPermit(bytes32 permit);
    error NotTheAuthority(bytes32 permit, address authority, address caller);
    error PermitAlreadyExtended(bytes32 permit);
    error PermitAlreadyRevoked(bytes32 permit, uint40 revokedAt);
    error NotTheHolder(bytes32 permit, address holder, address account);
    error WrongPurpose(bytes32 permit, uint8 purpose, uint256 purposes);
    error NotPermitted(bytes32 permit, bytes32 subject);
    error PermitNotLive(bytes32 permit, uint40 from, uint40 to, uint40 revokedAt);
    error PermitEndsTooEarly(bytes32 permit, uint40 to, uint256 needed);

    /// @notice Grants a permit of the caller. Its id is the hash of chain, contract, caller and all of this.
    /// @param from May lie in the past. `to` lies after it by at most ten years (3,650 days).
    /// @param document SHA-256 of the decision, a raw block of the content store.
    /// @param subjects Ids of the offers or datasets that it is for, 1 to 64.
    function grant(address holder, uint8 purpose, uint40 from, uint40 to, bytes32 document, bytes32[] calldata subjects)
        external
        returns (bytes32 permit);

    /// @notice The authority moves the end of a permit that is not revoked, once, by at most ten years.
    /// @param document SHA-256 of the decision, a raw block of the content store.
    function extend(bytes32 permit, uint40 to, bytes32 document) external;

    /// @notice The authority ends a permit now and for ever.
    /// @param document SHA-256 of the decision, a raw block of the content store.
    function revoke(bytes32 permit, bytes32 document) external;

    /// @notice Reverts unless the permit is `authority`'s for `holder`, has a purpose of the set, is for `offer` or for
    /// every one of `datasets`, and is live now.
    function requirePermit(
        bytes32 permit,
        address authority,
        address holder,
        uint256 purposes,
        bytes32 offer,
        bytes32[] calldata datasets
    ) external view;

    /// @notice Reverts unless the permit is live now and will be until `until`, as far as is known now.
    function requireLive(bytes32 permit, uint256 until) external view;

    /// @notice Whether a permit was live at `time`, or will be, as far as is known now.
    function isLive(bytes32 permit, uint256 time) external view returns (bool);

    /// @notice Whether a permit is for this offer or dataset.
    function isFor(bytes32 permit, bytes32 subject) external view returns (bool);

    /// @notice When a permit was revoked; zero if it was not.
    function revokedAt(bytes32 permit) external view returns (uint40);

    /// @notice All zero for a permit that was never granted.
    function getPermit(bytes32 permit) external view returns (Permit memory);
}
