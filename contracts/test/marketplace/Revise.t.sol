// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract ReviseTest is Market {
    function test_TheNextVersionKeepsTheAccount() external {
        bring(usual(), PLACED);
        vm.expectEmit(address(rules));
        emit IMarketplace.DatasetRevised(dataset, 2, OTHER, DOCUMENT);
        revise(provider, dataset);
        IBooks.Dataset memory expected = IBooks.Dataset(provider, TOTAL, RHO, EXACT_TOTAL, 0, 2, 1);
        vm.assertEq(abi.encode(rules.getDataset(dataset)), abi.encode(expected), "dataset");
    }

    function test_OnlyItsProviderRevisesADataset() external {
        refused(abi.encodeWithSelector(IMarketplace.NotTheProvider.selector, dataset, stranger));
        revise(stranger, dataset);
    }

    function test_AnUnknownDatasetIsRefused() external {
        refused(abi.encodeWithSelector(IMarketplace.UnknownDataset.selector, OTHER));
        revise(provider, OTHER);
    }

    function test_ThereAreAsManyVersionsAsSixteenBitsCount() external {
        for (uint256 version = 2; version <= type(uint16).max; version++) {
            revise(provider, dataset);
        }
        vm.assertEq(rules.getDataset(dataset).version, type(uint16).max, "version");
        refusedRange("version", 65_536, 2, 65_535);
        revise(provider, dataset);
    }

    function revise(address by, bytes32 which) private {
        vm.prank(by);
        rules.revise(which, OTHER, DOCUMENT);
    }
}
