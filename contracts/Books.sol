// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IMarketplace} from "./IMarketplace.sol";
import {Limits} from "./Limits.sol";
import {Transitions} from "./Transitions.sol";
import {TypedData} from "./TypedData.sol";

/// @title Books
/// @notice What the marketplace keeps, how it is named and read, and the few ways in which it changes.
abstract contract Books is IMarketplace, EIP712 {
    using SafeERC20 for IERC20;

    /// @dev What `place` reads and writes of a dataset, in one slot.
    struct Budget {
        uint64 total;
        uint64 used;
        uint16 version;
    }

    uint256 internal constant WHOLE_BPS = 10_000;

    mapping(bytes32 dataset => address) internal providers;
    mapping(bytes32 dataset => Budget) internal budgets;
    mapping(bytes32 offer => OfferStanding) internal offers;
    mapping(bytes32 offer => mapping(uint256 member => uint256)) internal withdrawn;
    mapping(bytes32 order => Standing) internal orders;
    mapping(address token => mapping(address account => uint256)) internal credits;

    // -------------------------------------------------------------------------------------------------------- names

    /// @inheritdoc IMarketplace
    function datasetId(address provider, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), provider, salt));
    }

    /// @inheritdoc IMarketplace
    function hashMembers(Member[] calldata members) public pure returns (bytes32) {
        return TypedData.hashMembers(members);
    }

    /// @inheritdoc IMarketplace
    function offerId(Head calldata head, bytes32 membersHash) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashOffer(head, membersHash));
    }

    /// @inheritdoc IMarketplace
    function orderId(Order calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashOrder(order));
    }

    /// @inheritdoc IMarketplace
    function deliveryHash(bytes32 order, Delivery calldata delivery) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashDelivery(order, delivery));
    }

    /// @dev The order's id, after checking that it is an order of this offer.
    function identify(Head calldata head, bytes32 membersHash, Order calldata order) internal view returns (bytes32) {
        bytes32 offer = offerId(head, membersHash);
        require(order.offer == offer, WrongOffer(order.offer, offer));
        return orderId(order);
    }

    // -------------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IMarketplace
    function getDataset(bytes32 dataset) external view returns (Dataset memory) {
        Budget storage budget = budgets[dataset];
        return Dataset(providers[dataset], budget.total, budget.used, budget.version);
    }

    /// @inheritdoc IMarketplace
    function getOffer(bytes32 offer) external view returns (OfferStanding memory) {
        return offers[offer];
    }

    /// @inheritdoc IMarketplace
    function getOrder(bytes32 order) external view returns (Standing memory) {
        return orders[order];
    }

    /// @inheritdoc IMarketplace
    function getCredit(address token, address account) external view returns (uint256) {
        return credits[token][account];
    }

    /// @inheritdoc IMarketplace
    function getWithdrawn(bytes32 offer, uint256 index) external view returns (uint256) {
        return withdrawn[offer][index];
    }

    // --------------------------------------------------------------------------------------- the state of an order

    /// @dev Moves an order along the table, and only along it. `window` is how many seconds there are for the next
    /// step; zero in a final state, after which nothing is due.
    function advance(Standing storage standing, OrderState to, Reason reason, uint256 window)
        internal
        returns (uint40 deadline)
    {
        assert(Transitions.lead(standing.state, to));
        deadline = window == 0 ? 0 : uint40(block.timestamp + window);
        standing.state = to;
        standing.reason = reason;
        standing.deadline = deadline;
    }

    /// @dev The order, for the one who must act: it is in `state` and its deadline has not passed.
    function inTime(bytes32 id, OrderState state) internal view returns (Standing storage standing) {
        standing = inState(id, state);
        require(block.timestamp <= standing.deadline, TooLate(id, standing.deadline));
    }

    /// @dev The order, for everyone else: it is in `state` and its deadline has passed.
    function overdue(bytes32 id, OrderState state) internal view returns (Standing storage standing) {
        standing = inState(id, state);
        require(block.timestamp > standing.deadline, TooEarly(id, standing.deadline));
    }

    function inState(bytes32 id, OrderState state) internal view returns (Standing storage standing) {
        standing = orders[id];
        require(standing.state == state, WrongState(id, standing.state, state));
    }

    // --------------------------------------------------------------------------------------------- budget and money

    /// @dev Takes every member's rho from the budget of its dataset, in the version that the buyer named.
    function spend(Member[] calldata members, uint256 versions) internal {
        Limits.within("versions", versions, 0, type(uint256).max >> (256 - 16 * members.length));
        for (uint256 i = 0; i < members.length; i++) {
            Member calldata member = members[i];
            Budget storage budget = budgets[member.dataset];
            uint16 version = uint16(versions >> (16 * i));
            require(version == budget.version, WrongVersion(member.dataset, budget.version, version));
            uint64 left = budget.total - budget.used;
            require(member.rhoMicro <= left, BudgetExceeded(member.dataset, left, member.rhoMicro));

            budget.used += member.rhoMicro;
        }
    }

    /// @dev Divides the price and the bond of an order that has ended: `earned` of the price accrues to the offer,
    /// `freed` of the bond goes back to the lead, and what is left of both goes to the buyer.
    function divide(Head calldata head, Order calldata order, uint256 earned, uint256 freed) internal {
        OfferStanding storage offer = offers[order.offer];
        offer.open -= 1;
        offer.accrued += uint128(earned);
        credit(head.token, head.lead, freed);
        credit(head.token, order.buyer, priceOf(head) - earned + head.bond - freed);
    }

    function credit(address token, address account, uint256 amount) internal {
        if (amount > 0) credits[token][account] += amount;
    }

    function debit(address token, address account, uint256 amount) internal {
        uint256 held = credits[token][account];
        require(amount <= held, InsufficientCredit(token, account, held, amount));
        credits[token][account] = held - amount;
    }

    /// @dev Takes exactly `amount` from the caller.
    function collect(address token, uint256 amount) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = Math.saturatingSub(IERC20(token).balanceOf(address(this)), before);
        require(received == amount, InexactTransfer(token, amount, received));
    }

    function priceOf(Head calldata head) internal pure returns (uint256) {
        return uint256(head.cost) + head.margin;
    }

    function computeFeeOf(Head calldata head) internal pure returns (uint256) {
        return priceOf(head) * head.computeFeeBps / WHOLE_BPS;
    }
}
