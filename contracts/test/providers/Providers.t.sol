// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IProviders} from "../../IProviders.sol";
import {Market} from "../Market.sol";

contract ProvidersTest is Market {
    function testFuzz_AProviderDescribesItself(address who, bytes32 descriptor, bytes32 certificate) external {
        vm.expectEmit(address(registry));
        emit IProviders.ProviderDescribed(who, descriptor, certificate);
        vm.prank(who);
        registry.describe(descriptor, certificate);
    }

    function testFuzz_AProviderAnchorsARootForADay(address who, uint32 day, bytes32 root) external {
        vm.expectEmit(address(registry));
        emit IProviders.RootAnchored(who, day, root);
        vm.prank(who);
        registry.anchor(day, root);
    }
}
