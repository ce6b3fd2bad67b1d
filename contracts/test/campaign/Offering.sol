// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {World} from "./World.sol";

/// @title What providers do: offers.
abstract contract Offering is World {
    uint256 private constant MOST_OFFERS = 16;

    function manageOffers(uint256 seed) internal {
        uint256 what = mix(seed, "what") % 4;
        if (what == 0 && sold.length < MOST_OFFERS) offer(seed);
        if (what == 1) retire_(seed);
        if (what > 1 && sold.length < MOST_OFFERS && bought.length > 0) stock(seed);
    }

    /// @dev An offer of any shape, over one to six of the datasets. Sometimes a consent is missing.
    function offer(uint256 seed) internal {
        Life memory life = draft(anyHead(seed), anyMembers(seed));
        if (isExact(life)) {
            for (uint256 i = 0; i < life.members.length; i++) {
                life.members[i].rhoMicro = 0;
            }
        }
        bool splits = life.members.length > 1 && !isExact(life);
        if (splits && mix(seed, "unit") % 2 == 0) life.head.unit = IBooks.PrivacyUnit.PersonAtProvider;
        life.head.lead = life.members[mix(seed, "lead") % life.members.length].provider;
        rename(life);
        IMarketplace.Consent[] memory list = consents(life);
        bool forged = list.length > 0 && mix(seed, "forged") % 8 == 0;
        if (forged) list[mix(seed, "which") % list.length].signature = sign(stranger, life.id);
        bool fine = !forged && !isKnown(life.order.offer);
        if (fine) enter(life);
        play(life.head.lead, abi.encodeCall(IMarketplace.publish, (life.head, life.members, list)), fine, "publish");
    }

    /// @dev Sells an order's delivery again. Whether it was delivered is for the contract to find.
    function stock(uint256 seed) private {
        uint256 order = choose(seed, SETTLED);
        Life memory origin = lifeOf(order);
        Life memory life = stockOf(origin);
        (life.head.margin, life.head.bond) = (uint128(1 + mix(seed, "margin") % EURO), 0);
        life.head.validUntil = uint64(block.timestamp + mix(seed, "valid") % 30 days);
        rename(life);
        IBooks.Standing storage its = bought[order].standing;
        bool delivered = its.delivery != 0 && its.reason != IBooks.Reason.WrongByte;
        bool fine = delivered && !isKnown(life.order.offer);
        if (fine) enter(life);
        bytes memory data =
            abi.encodeCall(IMarketplace.publishStock, (life.head, life.members, consents(life), originOf(origin)));
        play(life.head.lead, data, fine, "publishStock");
    }

    function retire_(uint256 seed) private {
        uint256 which = mix(seed, "offer") % sold.length;
        Life memory life = offerOf(which);
        uint256 index = mix(seed, "member") % life.members.length;
        address by = mostly(life.members[index].provider, seed);
        bool fine = by == life.members[index].provider && !sold[which].retired;
        if (fine) sold[which].retired = true;
        play(by, abi.encodeCall(IMarketplace.retire, (life.head, life.members, index)), fine, "retire");
    }

    function enter(Life memory life) private {
        Sold storage entry = sold.push();
        (entry.life, entry.id, entry.token) = (abi.encode(life), life.order.offer, life.head.token);
        for (uint256 i = 0; i < life.members.length; i++) {
            entry.shares.push(life.members[i].shareBps);
        }
    }

    function isKnown(bytes32 id) private view returns (bool) {
        for (uint256 i = 0; i < sold.length; i++) {
            if (sold[i].id == id) return true;
        }
        return false;
    }

    function anyHead(uint256 seed) private view returns (IBooks.Head memory head) {
        head = usualHead();
        head.kind = IBooks.Kind(mix(seed, "kind") % 3);
        head.token = one(tokens, mix(seed, "token"));
        head.cost = uint128(1 + mix(seed, "cost") % 1_000 * EURO);
        head.margin = uint128(mix(seed, "margin") % 10_007);
        head.deliverWindow = uint32(1 hours + mix(seed, "deliver") % 9 days);
        head.acceptWindow = uint32(1 hours + mix(seed, "accept") % 9 days);
        head.revealWindow = uint32(1 hours + mix(seed, "reveal") % 9 days);
        head.challengeWindow = uint32(1 hours + mix(seed, "challenge") % 9 days);
        head.computeFeeBps = uint16(mix(seed, "fee") % 1_001);
        head.bond = uint128(mix(seed, "bond") % (100 * EURO));
        head.maxOpen = uint32(1 + mix(seed, "open") % 6);
        head.licenceSeconds = uint64(1 + mix(seed, "licence") % 30 days);
        head.validUntil = uint64(block.timestamp + mix(seed, "valid") % 365 days);
        if (mix(seed, "arbiter") % 2 == 0) {
            head.arbiter = arbiter;
            head.ruleWindow = uint32(1 hours + mix(seed, "rule") % 9 days);
            head.contestDeposit = uint128(mix(seed, "deposit") % (30 * EURO));
        }
        if (mix(seed, "authority") % 2 == 0) {
            (head.authority, head.purposes) = (authority, 1 << PURPOSE);
            if (mix(seed, "free") % 4 == 0) (head.cost, head.margin) = (0, 0);
            if (mix(seed, "exact") % 3 == 0) (head.guarantee, head.delta) = (IBooks.Guarantee.Exact, 0);
        }
    }

    /// @dev Each dataset once, in the order of their ids; shares as they fall.
    function anyMembers(uint256 seed) private view returns (IBooks.Member[] memory members) {
        uint256 count = 1 + mix(seed, "members") % (datasets.length < 6 ? datasets.length : 6);
        uint256 first = mix(seed, "first") % datasets.length;
        members = new IBooks.Member[](count);
        uint256 left = 10_000;
        for (uint256 i = 0; i < count; i++) {
            bytes32 id = datasets[(first + i) % datasets.length];
            uint256 rho = 1 + mix(seed, "rho") % 1_000;
            insert(members, i, IBooks.Member(id, account[id].provider, 0, uint64(rho)));
        }
        for (uint256 i = 0; i < count; i++) {
            uint256 share = i == count - 1 ? left : mix(seed, string(abi.encodePacked("share", i))) % (left + 1);
            members[i].shareBps = uint16(share);
            left -= share;
        }
    }
}
