// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract RegisterTest is Market {
    function test_ADatasetIsNamedByChainContractProviderAndSalt() external {
        bytes32 id = keccak256(abi.encode(block.chainid, address(rules), stranger, OTHER));
        vm.expectEmit(address(rules));
        emit IMarketplace.DatasetRegistered(id, stranger, OTHER, COMMITMENT, DESCRIPTION, TOTAL, EXACT_TOTAL);
        vm.assertEq(register(stranger, OTHER), id, "id");
        vm.assertEq(rules.datasetId(stranger, OTHER), id, "datasetId");
    }

    function testFuzz_ItBeginsUnusedInItsFirstVersionAndEpoch(uint64 total, uint32 exactTotal) external {
        total = total == 0 ? 1 : total;
        vm.prank(stranger);
        bytes32 id = rules.register(OTHER, COMMITMENT, DESCRIPTION, total, exactTotal);
        IBooks.Dataset memory expected = IBooks.Dataset(stranger, total, 0, exactTotal, 0, 1, 1);
        vm.assertEq(abi.encode(rules.getDataset(id)), abi.encode(expected), "dataset");
    }

    function test_TwoProvidersMayUseOneSalt() external {
        vm.assertNotEq(register(stranger, "dataset"), dataset, "id");
    }

    function test_AProviderUsesASaltOnce() external {
        refused(abi.encodeWithSelector(IMarketplace.DatasetExists.selector, dataset));
        register(provider, "dataset");
    }

    function test_ATotalOfZeroIsRefused() external {
        refusedRange("total", 0, 1, type(uint64).max);
        rules.register(OTHER, COMMITMENT, DESCRIPTION, 0, EXACT_TOTAL);
    }
}
