// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Marketplace} from "../Marketplace.sol";
import {Transitions} from "../Transitions.sol";

/// @title A marketplace whose inner steps anyone can take.
contract OpenBooks is Marketplace {
    /// @dev Puts an order into any state, outside the table.
    function put(bytes32 id, OrderState state) external {
        orders[id].state = state;
    }

    function move(bytes32 id, OrderState to, Reason reason, uint256 window) external {
        advance(orders[id], orders[id].state, to, reason, window);
    }

    function setVersion(bytes32 dataset, uint16 version) external {
        budgets[dataset].version = version;
    }

    function setEpoch(bytes32 dataset, uint16 epoch) external {
        budgets[dataset].epoch = epoch;
    }

    function leads(OrderState from, OrderState to) external pure returns (bool) {
        return Transitions.lead(from, to);
    }
}
