// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "./IBooks.sol";
import {IMarketplace} from "./IMarketplace.sol";

/// @title The table of an order's life: which state may follow which.
library Transitions {
    uint256 private constant PLACED = 1 << uint8(IBooks.OrderState.Placed);
    uint256 private constant DELIVERED = 1 << uint8(IBooks.OrderState.Delivered);
    uint256 private constant ACCEPTED = 1 << uint8(IBooks.OrderState.Accepted);
    uint256 private constant REVEALED = 1 << uint8(IBooks.OrderState.Revealed);
    uint256 private constant CONTESTED = 1 << uint8(IBooks.OrderState.Contested);
    uint256 private constant SETTLED = 1 << uint8(IBooks.OrderState.Settled);
    uint256 private constant REFUNDED = 1 << uint8(IBooks.OrderState.Refunded);
    uint256 private constant FORFEITED = 1 << uint8(IBooks.OrderState.Forfeited);

    /// @dev For each state, in sixteen bits, the set of those that may follow. The final states have none.
    uint256 private constant FROM_ABSENT = PLACED << 16 * uint8(IBooks.OrderState.Absent);
    uint256 private constant FROM_PLACED = (DELIVERED | REFUNDED) << 16 * uint8(IBooks.OrderState.Placed);
    uint256 private constant FROM_DELIVERED = (ACCEPTED | REFUNDED) << 16 * uint8(IBooks.OrderState.Delivered);
    uint256 private constant FROM_ACCEPTED = (REVEALED | REFUNDED | FORFEITED)
        << 16 * uint8(IBooks.OrderState.Accepted);
    uint256 private constant FROM_REVEALED = (SETTLED | FORFEITED | CONTESTED)
        << 16 * uint8(IBooks.OrderState.Revealed);
    uint256 private constant FROM_CONTESTED =
        (SETTLED | REFUNDED | FORFEITED) << 16 * uint8(IBooks.OrderState.Contested);
    uint256 private constant TABLE =
        FROM_ABSENT | FROM_PLACED | FROM_DELIVERED | FROM_ACCEPTED | FROM_REVEALED | FROM_CONTESTED;

    /// @notice Whether the table leads from `from` to `to`. Total: what it does not name is refused.
    function lead(IBooks.OrderState from, IBooks.OrderState to) internal pure returns (bool) {
        return TABLE >> (16 * uint256(from) + uint256(to)) & 1 == 1;
    }
}
