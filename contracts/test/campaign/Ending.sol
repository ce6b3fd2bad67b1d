// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {ILicences} from "../../ILicences.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {World} from "./World.sol";

/// @title What anyone does, and the arbiter: ends and withdrawals.
abstract contract Ending is World {
    address private constant user = address(0xbeef);

    mapping(uint256 order => bool) private shown;
    mapping(uint256 order => uint256) private namedAt;

    function settle_(uint256 order, address by) internal {
        Life memory life = lifeOf(order);
        bool approved = by == life.order.buyer && stateOf(order) == REVEALED;
        bool contested = stateOf(order) == CONTESTED;
        bool fine = approved || overdue(order, REVEALED) || overdue(order, CONTESTED);
        if (fine) {
            IBooks.Reason reason =
                contested ? IBooks.Reason.NotRuled : approved ? IBooks.Reason.Approved : IBooks.Reason.Unchallenged;
            move(order, SETTLED, reason, 0);
            divide(order, price(life), life.head.bond, 0);
        }
        play(by, abi.encodeCall(IMarketplace.settle, (life.head, life.membersHash, life.order)), fine, "settle");
    }

    function refund_(uint256 order, address by) internal {
        Life memory life = lifeOf(order);
        bool revoked = stateOf(order) == ACCEPTED && wasRevoked(order, life.order.permit);
        bool late = overdue(order, DELIVERED);
        bool fine = overdue(order, PLACED) || late || revoked;
        if (fine) {
            IBooks.Reason reason =
                revoked ? IBooks.Reason.PermitRevoked : late ? IBooks.Reason.NotAccepted : IBooks.Reason.NotDelivered;
            move(order, REFUNDED, reason, 0);
            divide(order, late || revoked ? computeFee(life) : 0, life.head.bond, 0);
        }
        play(by, abi.encodeCall(IMarketplace.refund, (life.head, life.membersHash, life.order)), fine, "refund");
    }

    function forfeit_(uint256 order, address by) internal {
        Life memory life = lifeOf(order);
        bool fine = overdue(order, ACCEPTED) && !wasRevoked(order, life.order.permit);
        if (fine) {
            move(order, FORFEITED, IBooks.Reason.NotRevealed, 0);
            divide(order, 0, 0, 0);
        }
        play(by, abi.encodeCall(IMarketplace.forfeit, (life.head, life.membersHash, life.order)), fine, "forfeit");
    }

    function rule_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(arbiter, seed);
        uint256 priceBps = between(mix(seed, "price"), 0, 10_001);
        uint256 bondBps = between(mix(seed, "bond"), 0, 10_000);
        bool fine = by == life.head.arbiter && inTime(order, CONTESTED) && priceBps <= 10_000;
        if (fine) {
            move(order, priceBps == 0 ? REFUNDED : SETTLED, IBooks.Reason.Ruled, 0);
            (bought[order].standing.priceBps, bought[order].standing.bondBps) = (uint16(priceBps), uint16(bondBps));
            uint256 freed = uint256(life.head.bond) * bondBps / 10_000;
            divide(order, price(life) * priceBps / 10_000, freed, life.head.contestDeposit);
        }
        bytes memory data = abi.encodeCall(
            IMarketplace.rule, (life.head, life.membersHash, life.order, uint16(priceBps), uint16(bondBps))
        );
        play(by, data, fine, "rule");
    }

    function withdraw_(uint256 seed) internal {
        if (mix(seed, "payout") % 2 == 0) return withdrawSomePayout(seed);
        address token = one(tokens, mix(seed, "token"));
        address by = one(everybody, mix(seed, "who"));
        withdrawCredit_(token, by, between(mix(seed, "amount"), 0, claims[token][by] / 8 + 1));
    }

    function withdrawCredit_(address token, address by, uint256 amount) internal {
        bool fine = amount > 0 && amount <= claims[token][by] && leaves(token, by);
        if (fine) take(token, by, amount, by);
        play(by, abi.encodeCall(IMarketplace.withdrawCredit, (token, amount)), fine, "withdrawCredit");
    }

    function withdrawSomePayout(uint256 seed) private {
        uint256 which = mix(seed, "offer") % sold.length;
        Life memory life = offerOf(which);
        withdrawPayout_(which, mix(seed, "member") % life.members.length, one(everybody, mix(seed, "who")));
    }

    function withdrawPayout_(uint256 which, uint256 index, address by) internal {
        Life memory life = offerOf(which);
        IBooks.Member memory member = life.members[index];
        uint256 earned = sold[which].accrued * member.shareBps / 10_000;
        bool fine = earned > sold[which].withdrawn[index] && leaves(life.head.token, member.provider);
        if (fine) sold[which].withdrawn[index] = earned;
        play(by, abi.encodeCall(IMarketplace.withdrawPayout, (life.head, life.members, index)), fine, "withdrawPayout");
    }

    /// @dev Looks at a licence, names a user of it, shows it as a token.
    function useALicence(uint256 seed) internal {
        uint256 order = choose(seed, mix(seed, "state") % 2 == 0 ? REVEALED : SETTLED);
        licenceHolds(order);
        Life memory life = lifeOf(order);
        address by = mostly(life.order.buyer, seed);
        bool live = isLicensedAt(order, block.timestamp);
        bool fine = live && by == life.order.buyer && namedAt[order] == 0;
        if (fine) namedAt[order] = block.timestamp;
        bytes memory data = abi.encodeCall(ILicences.nameUser, (life.head, life.membersHash, life.order, user));
        playOn(address(licences), by, data, fine, "nameUser");
        data = abi.encodeCall(ILicences.show, (life.head, life.membersHash, life.order));
        fine = live && !shown[order];
        if (fine) shown[order] = true;
        playOn(address(licences), one(everybody, mix(seed, "who")), data, fine, "show");
    }

    /// @dev Now, and at the first and last seconds that count: the buyer's, the named user's, and nobody else's.
    function licenceHolds(uint256 order) internal view {
        Life memory life = lifeOf(order);
        uint256 from = bought[order].standing.revealedAt;
        uint256[4] memory times =
            [block.timestamp, from, from + life.head.licenceSeconds, from + life.head.licenceSeconds + 1];
        for (uint256 i = 0; i < 4; i++) {
            bool live = isLicensedAt(order, times[i]);
            bool named_ = namedAt[order] != 0 && namedAt[order] <= times[i];
            require(isLicensed(life, life.order.buyer, times[i]) == live, "licences: the buyer's");
            require(isLicensed(life, user, times[i]) == (live && named_), "licences: the user's that it named");
            require(!isLicensed(life, stranger, times[i]), "licences: nobody else's");
        }
    }

    function isLicensed(Life memory life, address who, uint256 time) private view returns (bool) {
        return licences.isLicensed(life.head, life.membersHash, life.order, who, time);
    }
}
