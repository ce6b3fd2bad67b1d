// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMoney} from "../Market.sol";
import {Ending} from "./Ending.sol";
import {HostileToken} from "./HostileToken.sol";

/// @title What holds all the time. `docs/invariants.md` says each in English, by the names that stand here in front of
/// the colon.
/// @dev One look at the ledger serves them all. What the model asserts of itself, of every move, stands in `Model`.
abstract contract Theorems is Ending {
    function everythingHolds() external view {
        uint256[2] memory owed = [donated[tokens[0]], donated[tokens[1]]];
        offersHold(owed);
        ordersHold(owed);
        claimsHold(owed);
        for (uint256 t = 0; t < 2; t++) {
            require(IMoney(tokens[t]).balanceOf(address(rules)) == owed[t], "solvency: the balance is what is owed");
        }
        budgetsHold();
    }

    function offersHold(uint256[2] memory owed) private view {
        for (uint256 i = 0; i < sold.length; i++) {
            Sold storage offer = sold[i];
            IBooks.OfferStanding memory found = rules.getOffer(offer.id);
            require(found.open == offer.open, "orders: an offer counts those that are open");
            require(found.accrued == offer.accrued, "conservation: an offer earned what its orders gave it");
            require(found.retired == offer.retired && found.published, "orders: an offer is as it was left");
            owed[offer.token == tokens[0] ? 0 : 1] += found.accrued - paidOut(offer, found.accrued);
        }
    }

    /// @dev What the offer has paid its members. Each got at most its share; less than a unit for each is nobody's.
    function paidOut(Sold storage offer, uint256 accrued) private view returns (uint256 paid) {
        uint256 shares = 0;
        for (uint256 m = 0; m < offer.shares.length; m++) {
            uint256 share = accrued * offer.shares[m] / 10_000;
            uint256 withdrawn = rules.getWithdrawn(offer.id, m);
            require(withdrawn == offer.withdrawn[m], "claims: a member withdrew what it was paid");
            require(withdrawn <= share, "shares: a member withdrew at most its share");
            (shares, paid) = (shares + share, paid + withdrawn);
        }
        require(accrued - shares < offer.shares.length, "shares: less than a unit for each member stays behind");
    }

    function ordersHold(uint256[2] memory owed) private view {
        for (uint256 i = 0; i < bought.length; i++) {
            Bought storage order = bought[i];
            IBooks.Standing memory found = rules.getOrder(order.id);
            require(
                keccak256(abi.encode(found)) == keccak256(abi.encode(order.standing)),
                "orders: each stands where its own moves led"
            );
            require(order.ends == (isFinal(found.state) ? 1 : 0), "orders: each ends once");
            if (isFinal(found.state)) {
                require(order.held == 0, "conservation: an ended order holds nothing");
                continue;
            }
            uint256 held = order.entry + (found.state == CONTESTED ? order.deposit : 0);
            require(held == order.held, "bonds: an open order holds its price, its bond and its deposit");
            owed[sold[order.offer].token == tokens[0] ? 0 : 1] += held;
        }
    }

    function claimsHold(uint256[2] memory owed) private view {
        for (uint256 t = 0; t < 2; t++) {
            for (uint256 i = 0; i < everybody.length; i++) {
                uint256 found = rules.getCredit(tokens[t], everybody[i]);
                require(found == claims[tokens[t]][everybody[i]], "claims: nobody's falls but by its own will");
                owed[t] += found;
            }
        }
    }

    function budgetsHold() private view {
        for (uint256 i = 0; i < datasets.length; i++) {
            IBooks.Dataset memory found = rules.getDataset(datasets[i]);
            require(found.used <= found.total, "budgets: never more than there is");
            require(found.exactUsed <= found.exactTotal, "budgets: never more exact orders than allowed");
            require(
                keccak256(abi.encode(found)) == keccak256(abi.encode(account[datasets[i]])),
                "budgets: what orders took and gave back"
            );
        }
    }

    /// @dev Time alone lets a stranger end every order; then everyone gets everything, and less than a unit for each member
    /// of each offer stays behind. And every licence is what its order, its term and its permit say.
    function everybodyCanLeave() external {
        for (uint256 i = 0; i < bought.length; i++) {
            licenceHolds(i);
            while (!isFinal(stateOf(i))) finish(i);
            licenceHolds(i);
        }
        hostile_.be(HostileToken.Mood.Honest, address(0));
        uint256[2] memory dust;
        for (uint256 i = 0; i < sold.length; i++) {
            for (uint256 m = 0; m < sold[i].shares.length; m++) {
                withdrawPayout_(i, m, stranger);
            }
            dust[sold[i].token == tokens[0] ? 0 : 1] += sold[i].shares.length - 1;
        }
        for (uint256 t = 0; t < 2; t++) {
            for (uint256 i = 0; i < everybody.length; i++) {
                withdrawCredit_(tokens[t], everybody[i], claims[tokens[t]][everybody[i]]);
            }
            uint256 left = IMoney(tokens[t]).balanceOf(address(rules)) - donated[tokens[t]];
            require(left <= dust[t], "liveness: everybody can leave");
        }
    }

    function finish(uint256 order) private {
        uint256 last = bought[order].standing.deadline;
        if (block.timestamp <= last) vm.warp(last + 1);
        IBooks.OrderState state = stateOf(order);
        if (state == PLACED || state == DELIVERED) refund_(order, stranger);
        else if (state == REVEALED || state == CONTESTED) settle_(order, stranger);
        else if (wasRevoked(order, lifeOf(order).order.permit)) refund_(order, stranger);
        else forfeit_(order, stranger);
        require(isFinal(stateOf(order)), "liveness: time alone ends an order");
    }
}
