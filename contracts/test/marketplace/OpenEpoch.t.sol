// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract OpenEpochTest is Market {
    function test_TheTotalRisesAndWhatIsUsedStays() external {
        bring(usual(), PLACED);
        vm.expectEmit(address(rules));
        emit IMarketplace.EpochOpened(dataset, 2, TOTAL + 1, 5, DOCUMENT);
        openEpoch(provider, dataset, TOTAL + 1, 5);
        IBooks.Dataset memory expected = IBooks.Dataset(provider, TOTAL + 1, RHO, 5, 0, 1, 2);
        vm.assertEq(abi.encode(rules.getDataset(dataset)), abi.encode(expected), "dataset");
    }

    function test_TheAllowanceOfExactOrdersBeginsAnew() external {
        bring(exact(), PLACED);
        openEpoch(provider, dataset, TOTAL, 3);
        IBooks.Dataset memory expected = IBooks.Dataset(provider, TOTAL, 0, 4, 1, 1, 2);
        vm.assertEq(abi.encode(rules.getDataset(dataset)), abi.encode(expected), "dataset");
    }

    function test_TheTotalMayStay() external {
        openEpoch(provider, dataset, TOTAL, 0);
        vm.assertEq(rules.getDataset(dataset).total, TOTAL, "total");
    }

    function test_TheTotalNeverFalls() external {
        refusedRange("total", TOTAL - 1, TOTAL, type(uint64).max);
        openEpoch(provider, dataset, TOTAL - 1, 0);
    }

    function test_OnlyItsProviderOpensAnEpoch() external {
        refused(abi.encodeWithSelector(IMarketplace.NotTheProvider.selector, dataset, stranger));
        openEpoch(stranger, dataset, TOTAL, 0);
    }

    function test_AnUnknownDatasetIsRefused() external {
        refused(abi.encodeWithSelector(IMarketplace.UnknownDataset.selector, OTHER));
        openEpoch(provider, OTHER, TOTAL, 0);
    }

    function test_AnAllowanceThatCannotBeCountedIsRefused() external {
        bring(exact(), PLACED);
        refusedRange("allowance", uint256(1) << 32, 0, type(uint32).max);
        openEpoch(provider, dataset, TOTAL, type(uint32).max);
        openEpoch(provider, dataset, TOTAL, type(uint32).max - 1);
        vm.assertEq(rules.getDataset(dataset).exactTotal, type(uint32).max, "allowance");
    }

    function test_ThereAreAsManyEpochsAsSixteenBitsCount() external {
        for (uint256 epoch = 2; epoch <= type(uint16).max; epoch++) {
            openEpoch(provider, dataset, TOTAL, 0);
        }
        vm.assertEq(rules.getDataset(dataset).epoch, type(uint16).max, "epoch");
        refusedRange("epoch", 65_536, 2, 65_535);
        openEpoch(provider, dataset, TOTAL, 0);
    }

    function openEpoch(address by, bytes32 which, uint64 total, uint32 allowance) private {
        vm.prank(by);
        rules.openEpoch(which, total, allowance, DOCUMENT);
    }
}
