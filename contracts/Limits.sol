// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "./IBooks.sol";
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
    uint256 private constant MOST_MEMBERS = 16;

    uint8 private constant RAW_CODEC = 0x55;
    uint8 private constant DAG_PB_CODEC = 0x70;

    function checkHead(IBooks.Head calldata head) internal view {
        bool exact = head.guarantee == IBooks.Guarantee.Exact;
        bool permitted = head.authority != address(0);
        bool arbitrated = head.arbiter != address(0);
        require(head.token.code.length > 0, IMarketplace.TokenWithoutCode(head.token));

        within("authority", permitted ? 1 : 0, exact ? 1 : 0, 1);
        within("purposes", head.purposes, permitted ? 1 : 0, permitted ? type(uint256).max : 0);
        within("price", uint256(head.cost) + head.margin, permitted ? 0 : 1, LARGEST_PRICE);
        within("delta", head.delta, exact ? 0 : 1, exact ? 0 : LARGEST_DELTA);
        within("deliverWindow", head.deliverWindow, SHORTEST_WINDOW, LONGEST_WINDOW);
        within("acceptWindow", head.acceptWindow, SHORTEST_WINDOW, LONGEST_WINDOW);
        within("revealWindow", head.revealWindow, SHORTEST_COSTLY_WINDOW, LONGEST_WINDOW);
        within("challengeWindow", head.challengeWindow, SHORTEST_COSTLY_WINDOW, LONGEST_WINDOW);
        within("ruleWindow", head.ruleWindow, arbitrated ? SHORTEST_COSTLY_WINDOW : 0, arbitrated ? LONGEST_WINDOW : 0);
        within("contestDeposit", head.contestDeposit, 0, arbitrated ? LARGEST_PRICE : 0);
        within("licenceSeconds", head.licenceSeconds, 1, LONGEST_LICENCE);
        within("computeFeeBps", head.computeFeeBps, 0, LARGEST_COMPUTE_FEE_BPS);
        within("maxOpen", head.maxOpen, 1, type(uint32).max);
        within("validUntil", head.validUntil, block.timestamp, type(uint64).max);
    }

    /// @dev Members stand in the order of their datasets, so none stands there twice.
    function checkMembers(IBooks.Head calldata head, IBooks.Member[] calldata members) internal pure {
        within("members", members.length, 1, MOST_MEMBERS);
        bool exact = head.guarantee == IBooks.Guarantee.Exact;
        within("unit", uint256(head.unit), 0, members.length > 1 && !exact ? 1 : 0);
        bool free = head.stock != 0 || exact;
        bool leads = false;
        uint256 sum = 0;
        for (uint256 i = 0; i < members.length; i++) {
            IBooks.Member calldata member = members[i];
            within("rhoMicro", member.rhoMicro, free ? 0 : 1, free ? 0 : type(uint64).max);
            if (i > 0) {
                bytes32 before = members[i - 1].dataset;
                require(before < member.dataset, IMarketplace.MembersNotSorted(before, member.dataset));
            }
            require(member.provider != head.arbiter, IMarketplace.RoleConflict("arbiter", head.arbiter));
            require(member.provider != head.authority, IMarketplace.RoleConflict("authority", head.authority));
            leads = leads || member.provider == head.lead;
            sum += member.shareBps;
        }
        require(leads, IMarketplace.LeadIsNotAMember(head.lead));
        require(sum == WHOLE_BPS, IMarketplace.SharesNotWhole(sum));
    }

    function checkDelivery(IBooks.Head calldata head, IBooks.Delivery calldata delivery) internal pure {
        bool asked = head.stock == 0 || head.stock == delivery.plainRoot;
        require(asked, IMarketplace.WrongStock(head.stock, delivery.plainRoot));
        within("count", delivery.count, 1, type(uint32).max);
        if (delivery.objectCodec != RAW_CODEC) within("objectCodec", delivery.objectCodec, DAG_PB_CODEC, DAG_PB_CODEC);
    }

    function within(bytes32 field, uint256 given, uint256 least, uint256 most) internal pure {
        require(given >= least && given <= most, IMarketplace.OutOfRange(field, given, least, most));
    }
}
