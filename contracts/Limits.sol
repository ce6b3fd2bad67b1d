// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "./IMarketplace.sol";

/// @title What the numbers of an offer and of a delivery may be.
library Limits {
    /// @dev Whoever must act gets some blocks on any ledger, and an hour where silence costs it the price or the bond.
    uint256 private constant SHORTEST_WINDOW = 1 minutes;
    uint256 private constant SHORTEST_COSTLY_WINDOW = 1 hours;
    uint256 private constant LONGEST_WINDOW = 365 days;
    uint256 private constant LONGEST_LICENCE = 3650 days;
    uint256 private constant LARGEST_COMPUTE_FEE_BPS = 1_000;
    /// @dev 1e-5 in units of 1e-18.
    uint256 private constant LARGEST_DELTA = 1e13;
    /// @dev Four thousand million settled orders of this price fit into what an offer can accrue.
    uint256 private constant LARGEST_PRICE = type(uint96).max;
    uint256 private constant WHOLE_BPS = 10_000;

    uint8 private constant RAW_CODEC = 0x55;
    uint8 private constant DAG_PB_CODEC = 0x70;

    function checkHead(IMarketplace.Head calldata head) internal view {
        require(head.kind == IMarketplace.Kind.Synthetic, IMarketplace.NotServed("kind"));
        require(head.guarantee == IMarketplace.Guarantee.DifferentiallyPrivate, IMarketplace.NotServed("guarantee"));
        require(head.ruleWindow == 0, IMarketplace.NotServed("ruleWindow"));
        require(head.contestDeposit == 0, IMarketplace.NotServed("contestDeposit"));
        require(head.purposes == 0, IMarketplace.NotServed("purposes"));
        require(head.authority == address(0), IMarketplace.NotServed("authority"));
        require(head.arbiter == address(0), IMarketplace.NotServed("arbiter"));
        require(head.stock == 0, IMarketplace.NotServed("stock"));
        require(head.token.code.length > 0, IMarketplace.TokenWithoutCode(head.token));

        within("price", uint256(head.cost) + head.margin, 1, LARGEST_PRICE);
        within("delta", head.delta, 1, LARGEST_DELTA);
        within("deliverWindow", head.deliverWindow, SHORTEST_WINDOW, LONGEST_WINDOW);
        within("acceptWindow", head.acceptWindow, SHORTEST_WINDOW, LONGEST_WINDOW);
        within("revealWindow", head.revealWindow, SHORTEST_COSTLY_WINDOW, LONGEST_WINDOW);
        within("challengeWindow", head.challengeWindow, SHORTEST_COSTLY_WINDOW, LONGEST_WINDOW);
        within("licenceSeconds", head.licenceSeconds, 1, LONGEST_LICENCE);
        within("computeFeeBps", head.computeFeeBps, 0, LARGEST_COMPUTE_FEE_BPS);
        within("maxOpen", head.maxOpen, 1, type(uint32).max);
        within("validUntil", head.validUntil, block.timestamp, type(uint64).max);
    }

    function checkMembers(IMarketplace.Member[] calldata members) internal pure {
        within("members", members.length, 1, 1);
        within("rhoMicro", members[0].rhoMicro, 1, type(uint64).max);
        require(members[0].shareBps == WHOLE_BPS, IMarketplace.SharesNotWhole(members[0].shareBps));
    }

    function checkDelivery(IMarketplace.Delivery calldata delivery) internal pure {
        within("count", delivery.count, 1, type(uint32).max);
        if (delivery.objectCodec != RAW_CODEC) within("objectCodec", delivery.objectCodec, DAG_PB_CODEC, DAG_PB_CODEC);
    }

    function within(string memory field, uint256 given, uint256 least, uint256 most) internal pure {
        require(given >= least && given <= most, IMarketplace.OutOfRange(field, given, least, most));
    }
}
