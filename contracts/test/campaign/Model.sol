// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {PaidBySignature} from "../PaidBySignature.sol";
import {Market} from "../Market.sol";
import {WrongChunk} from "../WrongChunk.sol";

/// @title The marketplace once more, written plainly: where every order stands and whose every unit is.
/// @dev Nothing here asks the contracts. What moves an order or a unit goes through `move`, `give` and `take`, which hold
/// the model itself to the table and to consent.
abstract contract Model is PaidBySignature, WrongChunk {
    struct Sold {
        bytes life;
        bytes32 id;
        address token;
        uint16[] shares;
        bool retired;
        uint256 open;
        uint256 accrued;
        uint256[16] withdrawn;
    }

    struct Bought {
        bytes life;
        bytes32 id;
        uint256 offer;
        uint256 entry;
        uint256 deposit;
        IBooks.Standing standing;
        uint256 held;
        uint256 ends;
        bool wrong;
    }

    struct Granted {
        bytes32 id;
        address holder;
        uint256 offer;
        uint256 from;
        uint256 to;
        uint256 revokedAt;
        bool extended;
    }

    Sold[] internal sold;
    Bought[] internal bought;
    Granted[] internal permitsGranted;
    bytes32[] internal datasets;
    mapping(bytes32 dataset => IBooks.Dataset) internal account;
    mapping(address token => mapping(address owner => uint256)) internal claims;
    mapping(address token => uint256) internal donated;
    mapping(bytes32 permit => uint256 position) internal permitAt;
    mapping(IBooks.OrderState to => mapping(IBooks.Reason why => uint256 times)) public reached;

    // ------------------------------------------------------------------------------------------------- what holds always

    /// @dev The table of docs, state by state.
    function follows(IBooks.OrderState from, IBooks.OrderState to) internal pure returns (bool) {
        if (from == ABSENT) return to == PLACED;
        if (from == PLACED) return to == DELIVERED || to == REFUNDED;
        if (from == DELIVERED) return to == ACCEPTED || to == REFUNDED;
        if (from == ACCEPTED) return to == REVEALED || to == REFUNDED || to == FORFEITED;
        if (from == REVEALED) return to == SETTLED || to == FORFEITED || to == CONTESTED;
        if (from == CONTESTED) return to == SETTLED || to == REFUNDED || to == FORFEITED;
        return false;
    }

    function isFinal(IBooks.OrderState state) internal pure returns (bool) {
        return state == SETTLED || state == REFUNDED || state == FORFEITED;
    }

    function move(uint256 order, IBooks.OrderState to, IBooks.Reason reason, uint256 window) internal {
        IBooks.Standing storage standing_ = bought[order].standing;
        require(follows(standing_.state, to), "table: no order moves outside it");
        (standing_.state, standing_.reason) = (to, reason);
        reached[to][reason] += 1;
        standing_.deadline = isFinal(to) ? 0 : uint40(block.timestamp + window);
        if (!isFinal(to)) return;
        bought[order].ends += 1;
        sold[bought[order].offer].open -= 1;
    }

    function give(address token, address owner, uint256 amount) internal {
        claims[token][owner] += amount;
    }

    /// @dev `by` is who asks for it: the owner, or nobody where the owner agreed beforehand, by its offer.
    function take(address token, address owner, uint256 amount, address by) internal {
        require(by == owner || by == address(0), "claims: nobody lowers another's");
        claims[token][owner] -= amount;
    }

    /// @dev Ends an order: `earned` of the price to the offer, `freed` of the bond to the lead, `fee` of the deposit to the
    /// arbiter, the rest to the buyer. What came in goes out.
    function divide(uint256 order, uint256 earned, uint256 freed, uint256 fee) internal {
        Life memory life = lifeOf(order);
        sold[bought[order].offer].accrued += earned;
        give(life.head.token, life.head.lead, freed);
        give(life.head.token, life.head.arbiter, fee);
        give(life.head.token, life.order.buyer, bought[order].held - earned - freed - fee);
        bought[order].held = 0;
    }

    // ------------------------------------------------------------------------------------------------------------ looking

    function lifeOf(uint256 order) internal view returns (Life memory) {
        return abi.decode(bought[order].life, (Life));
    }

    function offerOf(uint256 offer) internal view returns (Life memory) {
        return abi.decode(sold[offer].life, (Life));
    }

    function stateOf(uint256 order) internal view returns (IBooks.OrderState) {
        return bought[order].standing.state;
    }

    function inTime(uint256 order, IBooks.OrderState state) internal view returns (bool) {
        return stateOf(order) == state && block.timestamp <= bought[order].standing.deadline;
    }

    function overdue(uint256 order, IBooks.OrderState state) internal view returns (bool) {
        return stateOf(order) == state && block.timestamp > bought[order].standing.deadline;
    }

    function isLiveAt(bytes32 permit, uint256 time) internal view returns (bool) {
        if (permitAt[permit] == 0) return false;
        Granted storage granted = permitsGranted[permitAt[permit] - 1];
        bool revoked = granted.revokedAt != 0 && granted.revokedAt <= time;
        return granted.from <= time && time <= granted.to && !revoked;
    }

    /// @dev Whether the permit of an accepted order was revoked while its key was due.
    function wasRevoked(uint256 order, bytes32 permit) internal view returns (bool) {
        if (permit == 0) return false;
        uint256 when = permitsGranted[permitAt[permit] - 1].revokedAt;
        return when != 0 && when <= bought[order].standing.deadline;
    }

    function isLicensedAt(uint256 order, uint256 time) internal view returns (bool) {
        Life memory life = lifeOf(order);
        uint256 from = bought[order].standing.revealedAt;
        bool state = stateOf(order) == REVEALED || stateOf(order) == SETTLED;
        bool permit = life.order.permit == 0 || isLiveAt(life.order.permit, time);
        return state && permit && from <= time && time <= from + life.head.licenceSeconds;
    }

    /// @dev Whether every dataset has what the order takes, in the versions that the order names.
    function affordable(Life memory life) internal view returns (bool) {
        if (life.head.stock != 0) return life.order.versions == 0;
        for (uint256 i = 0; i < life.members.length; i++) {
            IBooks.Dataset storage its = account[life.members[i].dataset];
            if (uint16(life.order.versions >> 16 * i) != its.version) return false;
            if (isExact(life) && its.exactUsed >= its.exactTotal) return false;
            if (!isExact(life) && uint256(its.used) + life.members[i].rhoMicro > its.total) return false;
        }
        return true;
    }

    function isExact(Life memory life) internal pure returns (bool) {
        return life.head.guarantee == IBooks.Guarantee.Exact;
    }

    function setUp() public virtual override(Market, WrongChunk) {
        super.setUp();
    }
}
