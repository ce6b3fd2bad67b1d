// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {World} from "./World.sol";

/// @title What providers do: datasets and the bonds.
abstract contract Providing is World {
    function manageDatasets(uint256 seed) internal {
        uint256 what = mix(seed, "what") % 4;
        if (what == 0 && datasets.length < 12) {
            uint256 total = between(mix(seed, "total"), 0, 10_000);
            newDataset(one(leads, seed), bytes32(seed), uint64(total), uint32(mix(seed, "exact") % 8));
        }
        if (what == 1) revise_(seed);
        if (what == 2) openEpoch_(seed);
        if (what == 3) stake_(seed);
    }

    function newDataset(address by, bytes32 salt, uint64 total, uint32 exactTotal) internal returns (bytes32 id) {
        id = keccak256(abi.encode(CHAIN, address(rules), by, salt));
        bool fine = total > 0 && account[id].provider == NOBODY;
        if (fine) {
            account[id] = IBooks.Dataset(by, total, 0, exactTotal, 0, 1, 1);
            datasets.push(id);
        }
        play(
            by,
            abi.encodeCall(IMarketplace.register, (salt, COMMITMENT, DESCRIPTION, total, exactTotal)),
            fine,
            "register"
        );
    }

    function revise_(uint256 seed) private {
        bytes32 id = datasets[mix(seed, "dataset") % datasets.length];
        address by = mostly(account[id].provider, seed);
        bool fine = by == account[id].provider;
        if (fine) account[id].version += 1;
        play(by, abi.encodeCall(IMarketplace.revise, (id, OTHER, OTHER)), fine, "revise");
    }

    function openEpoch_(uint256 seed) private {
        bytes32 id = datasets[mix(seed, "dataset") % datasets.length];
        IBooks.Dataset storage its = account[id];
        address by = mostly(its.provider, seed);
        uint64 total = uint64(between(mix(seed, "total"), its.total - 1, its.total + uint256(10_000)));
        uint32 allowance = uint32(mix(seed, "allowance") % 8);
        bool fine = by == its.provider && total >= its.total;
        if (fine) {
            its.total = total;
            its.exactTotal = its.exactUsed + allowance;
            its.epoch += 1;
        }
        play(by, abi.encodeCall(IMarketplace.openEpoch, (id, total, allowance, DOCUMENT)), fine, "openEpoch");
    }

    function stake_(uint256 seed) private {
        address by = one(everybody, mix(seed, "who"));
        address token = one(tokens, mix(seed, "token"));
        uint256 amount = between(mix(seed, "amount"), 0, 1000 * EURO);
        bool fine = amount > 0 && arrives(token, by, amount);
        if (fine) give(token, by, amount);
        play(by, abi.encodeCall(IMarketplace.stake, (token, amount)), fine, "stake");
    }

    function decline_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(life.head.lead, seed);
        bool fine = by == life.head.lead && inTime(order, PLACED);
        if (fine) {
            move(order, REFUNDED, IBooks.Reason.Declined, 0);
            divide(order, 0, life.head.bond, 0);
        }
        IMarketplace.DeclineReason why = IMarketplace.DeclineReason(mix(seed, "why") % 6);
        play(by, abi.encodeCall(IMarketplace.decline, (life.head, life.membersHash, life.order, why)), fine, "decline");
    }

    /// @dev Sometimes with a chunk that does not open, sometimes with a signature that is missing.
    function deliver_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(life.head.lead, seed);
        bool wrong = mix(seed, "wrong") % 3 == 0;
        bytes32 root = keccak256(abi.encode("plain root", order));
        bool asked = life.head.stock == 0 || mix(seed, "root") % 8 != 0;
        life.delivery.plainRoot = life.head.stock != 0 && asked ? life.head.stock : root;
        commit(life, 5, chunk(5, 3, !wrong, order));
        bytes[] memory list = signatures(life);
        bool forged = list.length > 0 && mix(seed, "forged") % 8 == 0;
        if (forged) list[mix(seed, "which") % list.length] = sign(stranger, life.digest);
        bool fine = by == life.head.lead && inTime(order, PLACED) && !forged && asked;
        if (fine) {
            move(order, DELIVERED, IBooks.Reason.None, life.head.acceptWindow);
            (bought[order].life, bought[order].wrong) = (abi.encode(life), wrong);
            bought[order].standing.delivery = life.digest;
        }
        bytes memory data =
            abi.encodeCall(IMarketplace.deliver, (life.head, life.members, life.order, life.delivery, list));
        play(by, data, fine, "deliver");
    }

    function reveal_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(life.head.lead, seed);
        bytes32 key = mix(seed, "key") % 8 == 0 ? OTHER : KEY;
        bool permit = life.order.permit == 0 || isLiveAt(life.order.permit, block.timestamp);
        bool fine = by == life.head.lead && inTime(order, ACCEPTED) && key == KEY && permit;
        if (fine) {
            move(order, REVEALED, IBooks.Reason.None, life.head.challengeWindow);
            bought[order].standing.revealedAt = uint40(block.timestamp);
        }
        bytes memory data =
            abi.encodeCall(IMarketplace.reveal, (life.head, life.membersHash, life.order, life.delivery, key));
        play(by, data, fine, "reveal");
    }

    function release_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        uint256 index = mix(seed, "member") % life.members.length;
        IBooks.Member memory member = life.members[index];
        address by = mostly(member.provider, seed);
        IBooks.Standing storage its = bought[order].standing;
        bool undelivered = its.reason == IBooks.Reason.Declined || its.reason == IBooks.Reason.NotDelivered;
        bool fine = by == member.provider && undelivered && life.head.stock == 0 && its.released >> index & 1 == 0;
        if (fine) {
            its.released |= uint16(1 << index);
            if (isExact(life)) account[member.dataset].exactUsed -= 1;
            else account[member.dataset].used -= member.rhoMicro;
        }
        play(by, abi.encodeCall(IMarketplace.release, (life.head, life.members, life.order, index)), fine, "release");
    }
}
