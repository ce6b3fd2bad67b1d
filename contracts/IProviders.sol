// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What providers say about themselves.
/// @notice Nothing is stored: the events are the record, and the newest of an account counts.
///
/// Warning: anyone can say anything about itself. What a name stands for is learned from the offers and orders of its
/// account.
interface IProviders {
    event ProviderDescribed(address indexed provider, bytes32 descriptor, bytes32 certificate);
    event RootAnchored(address indexed provider, uint32 indexed day, bytes32 root);

    /// @notice Names the caller's descriptor, which says where its node answers, and the node's certificate. Said again
    /// with another certificate, it is a rotation; with zeros, the node is no longer there.
    /// @param descriptor SHA-256 of the descriptor, a raw block of the content store.
    /// @param certificate SHA-256 of the node's TLS certificate in DER.
    function describe(bytes32 descriptor, bytes32 certificate) external;

    /// @notice Anchors a 32-byte root of the caller's own records, such as its access log's.
    /// @param day Days since 1970-01-01 UTC that the root is for.
    function anchor(uint32 day, bytes32 root) external;
}
