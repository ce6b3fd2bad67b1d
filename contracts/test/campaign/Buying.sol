// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {IMoney} from "../Market.sol";
import {TypedDataReference} from "../TypedDataReference.sol";
import {World} from "./World.sol";

/// @title What buyers do, and those who carry their signatures.
abstract contract Buying is World {
    uint256 private constant MOST_ORDERS = 40;

    function place_(uint256 seed) internal {
        if (bought.length < MOST_ORDERS) {
            Life memory life = anyOrder(seed);
            address by = mostly(life.order.buyer, seed);
            enter(
                "place",
                life,
                seed,
                by,
                by == life.order.buyer,
                abi.encodeCall(IMarketplace.place, (life.head, life.members, life.order))
            );
        }
    }

    /// @dev A stranger hands the order in, with one of three payments; sometimes with a signature of its own.
    function placeFor_(uint256 seed) internal {
        if (bought.length >= MOST_ORDERS) return;
        Life memory life = anyOrder(seed);
        if (life.order.buyer == address(hostile_)) return; // it has no key and no ERC-1271
        bool forged = mix(seed, "forged") % 8 == 0;
        bytes memory signature = sign(forged ? stranger : life.order.buyer, life.id);
        IMarketplace.Payment memory payment = anyPayment(life, mix(seed, "means"));
        bytes memory data =
            abi.encodeCall(IMarketplace.placeFor, (life.head, life.members, life.order, signature, payment));
        enter("placeFor", life, seed, stranger, !forged, data);
        vm.prank(life.order.buyer);
        IMoney(life.head.token).approve(address(rules), type(uint256).max); // a signed approval has replaced this one
    }

    function enter(string memory what, Life memory life, uint256 seed, address by, bool signed, bytes memory data)
        private
    {
        uint256 which = mix(seed, "offer") % sold.length;
        bool fine = signed && placeable(which, life) && arrives(life.head.token, life.order.buyer, price(life));
        if (fine) {
            sold[which].open += 1;
            uint256 order = bought.length;
            Bought storage entry = bought.push();
            (entry.life, entry.id, entry.offer) = (abi.encode(life), life.id, which);
            (entry.entry, entry.deposit) = (price(life) + life.head.bond, life.head.contestDeposit);
            entry.held = entry.entry;
            move(order, PLACED, IBooks.Reason.None, life.head.deliverWindow);
            take(life.head.token, life.head.lead, life.head.bond, NOBODY);
            for (uint256 i = 0; i < life.members.length && life.head.stock == 0; i++) {
                if (isExact(life)) account[life.members[i].dataset].exactUsed += 1;
                else account[life.members[i].dataset].used += life.members[i].rhoMicro;
            }
        }
        play(by, data, fine, what);
    }

    function placeable(uint256 which, Life memory life) private view returns (bool) {
        if (sold[which].retired || sold[which].open >= life.head.maxOpen) return false;
        if (block.timestamp > life.head.validUntil || block.timestamp > life.order.placeBy) return false;
        if (life.head.authority == NOBODY && life.order.permit != 0) return false;
        if (life.head.authority != NOBODY && !permittedTo(which, life)) return false;
        return affordable(life) && claims[life.head.token][life.head.lead] >= life.head.bond;
    }

    function permittedTo(uint256 which, Life memory life) private view returns (bool) {
        if (permitAt[life.order.permit] == 0) return false;
        Granted storage granted = permitsGranted[permitAt[life.order.permit] - 1];
        return granted.holder == life.order.buyer && granted.offer == which && isLiveAt(granted.id, block.timestamp);
    }

    /// @dev Mostly with the versions that there are and the buyer's permit for the offer, if it has one.
    function anyOrder(uint256 seed) private view returns (Life memory life) {
        uint256 which = mix(seed, "offer") % sold.length;
        life = offerOf(which);
        life.order.buyer = one(buyers, mix(seed, "buyer"));
        life.order.specification = keccak256(abi.encode(seed, bought.length));
        life.order.placeBy = uint64(block.timestamp + mix(seed, "placeBy") % 1 days);
        life.order.versions = 0;
        for (uint256 i = 0; i < life.members.length && life.head.stock == 0; i++) {
            life.order.versions |= uint256(account[life.members[i].dataset].version) << 16 * i;
        }
        if (mix(seed, "version") % 16 == 0) life.order.versions += 1;
        life.order.permit = 0;
        for (uint256 i = 0; i < permitsGranted.length && life.head.authority != NOBODY; i++) {
            Granted storage granted = permitsGranted[(mix(seed, "permit") + i) % permitsGranted.length];
            if (granted.offer != which) continue;
            life.order.permit = granted.id;
            if (mix(seed, "holder") % 8 != 0) life.order.buyer = granted.holder;
            break;
        }
        rename(life);
    }

    function anyPayment(Life memory life, uint256 seed) private view returns (IMarketplace.Payment memory) {
        bool known = life.head.token == address(euro) && life.order.buyer.code.length == 0;
        if (!known || seed % 3 == 0) return approval();
        return seed % 3 == 1 ? signedApproval(life, price(life)) : authorization(life, life.id);
    }

    /// @dev In person or by signature.
    function accept_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        bytes32 digest = mix(seed, "digest") % 8 == 0 ? OTHER : life.digest;
        bool carried = mix(seed, "carried") % 2 == 0 && life.order.buyer != address(hostile_);
        address by = mostly(life.order.buyer, seed);
        uint256 until = block.timestamp + life.head.revealWindow;
        bool permit = life.order.permit == 0 || isLiveAt(life.order.permit, block.timestamp)
            && isLiveAt(life.order.permit, until);
        bool fine =
            inTime(order, DELIVERED) && permit && digest == bought[order].standing.delivery && by == life.order.buyer;
        if (fine) move(order, ACCEPTED, IBooks.Reason.None, life.head.revealWindow);
        if (!carried) {
            play(
                by,
                abi.encodeCall(IMarketplace.accept, (life.head, life.membersHash, life.order, digest)),
                fine,
                "accept"
            );
            return;
        }
        bytes memory word =
            sign(by == address(hostile_) ? stranger : by, digestOf(TypedDataReference.acceptance(life.id, digest)));
        bytes memory data =
            abi.encodeCall(IMarketplace.acceptFor, (life.head, life.membersHash, life.order, digest, word));
        play(stranger, data, fine, "acceptFor");
    }

    function reject_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(life.order.buyer, seed);
        bool fine = by == life.order.buyer && inTime(order, DELIVERED);
        if (fine) {
            move(order, REFUNDED, IBooks.Reason.Rejected, 0);
            divide(order, computeFee(life), life.head.bond, 0);
        }
        bytes memory data = abi.encodeCall(IMarketplace.reject, (life.head, life.membersHash, life.order, life.digest));
        play(by, data, fine, "reject");
    }

    function contest_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(life.order.buyer, seed);
        uint256 deposit = life.head.contestDeposit;
        bool paid = arrives(life.head.token, life.order.buyer, deposit);
        bool fine = by == life.order.buyer && inTime(order, REVEALED) && life.head.arbiter != NOBODY && paid;
        if (fine) {
            move(order, CONTESTED, IBooks.Reason.None, life.head.ruleWindow);
            bought[order].held += deposit;
        }
        bytes memory data = abi.encodeCall(IMarketplace.contest, (life.head, life.membersHash, life.order, DOCUMENT));
        play(by, data, fine, "contest");
    }

    function complain_(uint256 order, uint256 seed) internal {
        Life memory life = lifeOf(order);
        address by = mostly(life.order.buyer, seed);
        bool wrong = bought[order].wrong;
        bool fine = by == life.order.buyer && wrong && (inTime(order, REVEALED) || inTime(order, CONTESTED));
        if (fine) {
            move(order, FORFEITED, IBooks.Reason.WrongByte, 0);
            divide(order, 0, 0, 0);
        }
        IMarketplace.Complaint memory about = chunk(5, 3, !wrong, order);
        bytes memory data =
            abi.encodeCall(IMarketplace.complain, (life.head, life.membersHash, life.order, life.delivery, about));
        play(by, data, fine, "complain");
    }
}
