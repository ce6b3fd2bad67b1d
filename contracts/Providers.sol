// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IProviders} from "./IProviders.sol";

/// @title Providers
contract Providers is IProviders {
    /// @inheritdoc IProviders
    function describe(bytes32 descriptor, bytes32 certificate) external {
        emit ProviderDescribed(msg.sender, descriptor, certificate);
    }

    /// @inheritdoc IProviders
    function anchor(uint32 day, bytes32 root) external {
        emit RootAnchored(msg.sender, day, root);
    }
}
