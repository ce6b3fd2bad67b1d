// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

/// @dev A delivery may commit to the plain root zero, which in an offer says that nothing is sold again.
contract EmptyStockTest is Market {
    function test_ADeliveryWithoutAPlainRootIsNoStock() external {
        Life memory origin = usual();
        origin.delivery.plainRoot = 0;
        rename(origin);
        bring(origin, DELIVERED);
        Life memory life = usual();
        life.head.maxOpen = 1;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.WrongStock.selector, 0, 0));
        publishStock(life, origin);
    }
}
