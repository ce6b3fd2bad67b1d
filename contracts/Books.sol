// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IBooks} from "./IBooks.sol";
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
        uint32 exactTotal;
        uint32 exactUsed;
        uint16 version;
        uint16 epoch;
    }

    uint256 internal constant WHOLE_BPS = 10_000;

    mapping(bytes32 dataset => address) internal providerOf;
    mapping(bytes32 dataset => Budget) internal budgets;
    mapping(bytes32 offer => OfferStanding) internal offers;
    mapping(bytes32 offer => mapping(uint256 member => uint256)) internal withdrawn;
    mapping(bytes32 order => Standing) internal orders;
    mapping(address token => mapping(address account => uint256)) internal credits;

    // -------------------------------------------------------------------------------------------------------- names

    /// @inheritdoc IBooks
    function datasetId(address provider, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), provider, salt));
    }

    /// @inheritdoc IBooks
    function hashMembers(Member[] calldata members) public pure returns (bytes32) {
        return TypedData.hashMembers(members);
    }

    /// @inheritdoc IBooks
    function offerId(Head calldata, bytes32 membersHash) external view returns (bytes32) {
        return calledOffer(membersHash);
    }

    /// @inheritdoc IBooks
    function orderId(Order calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashOrder(order));
    }

    /// @inheritdoc IBooks
    function deliveryHash(bytes32 order, Delivery calldata delivery) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashDelivery(order, delivery));
    }

    /// @dev The id of the offer whose head this call begins with.
    function calledOffer(bytes32 membersHash) internal view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashOfferId(TypedData.hashCalledHead(), membersHash));
    }

    /// @dev The same, where the call goes on with the offer's members.
    function calledOffer(Member[] calldata members) internal view returns (bytes32) {
        return calledOffer(TypedData.hashCalledMembers(members.length));
    }

    /// @dev The id of the order that this call is about, after checking that it is an order of the offer that the call
    /// begins with.
    function calledOrder(bytes32 offer, Order calldata order) internal view returns (bytes32) {
        require(order.offer == offer, WrongOffer(order.offer, offer));
        return _hashTypedDataV4(TypedData.hashCalledOrder());
    }

    /// @dev The hash of the delivery that this call is about.
    function calledDelivery(bytes32 id) internal view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashCalledDelivery(id));
    }

    // -------------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IBooks
    function getDataset(bytes32 dataset) external view returns (Dataset memory) {
        Budget storage budget = budgets[dataset];
        return Dataset(
            providerOf[dataset],
            budget.total,
            budget.used,
            budget.exactTotal,
            budget.exactUsed,
            budget.version,
            budget.epoch
        );
    }

    /// @inheritdoc IBooks
    function getOffer(bytes32 offer) external view returns (OfferStanding memory) {
        return offers[offer];
    }

    /// @inheritdoc IBooks
    function getOrder(bytes32 order) external view returns (Standing memory) {
        return orders[order];
    }

    /// @inheritdoc IBooks
    function getCredit(address token, address account) external view returns (uint256) {
        return credits[token][account];
    }

    /// @inheritdoc IBooks
    function getWithdrawn(bytes32 offer, uint256 index) external view returns (uint256) {
        return withdrawn[offer][index];
    }

    // --------------------------------------------------------------------------------------- the state of an order

    /// @dev Moves an order, which has been found in `from`, along the table, and only along it. `window` is how many
    /// seconds there are for the next step; zero in a final state, after which nothing is due.
    function advance(Standing storage standing, OrderState from, OrderState to, Reason reason, uint256 window)
        internal
    {
        assert(Transitions.lead(from, to));
        standing.state = to;
        standing.reason = reason;
        standing.deadline = window == 0 ? 0 : uint40(block.timestamp + window);
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

    /// @dev Takes what an order costs the members' datasets, in the versions that the buyer named: rho from each
    /// budget, or one from each allowance. Stock takes nothing.
    function spend(Head calldata head, Member[] calldata members, uint256 versions) internal {
        if (head.stock != 0) return Limits.within("versions", versions, 0, 0);
        Limits.within("versions", versions, 0, type(uint256).max >> (256 - 16 * members.length));
        bool exact = head.guarantee == Guarantee.Exact;
        for (uint256 i = 0; i < members.length; i++) {
            Member calldata member = members[i];
            Budget storage budget = budgets[member.dataset];
            uint16 version = uint16(versions);
            require(version == budget.version, WrongVersion(member.dataset, budget.version, version));
            versions >>= 16;
            if (exact) takeAllowance(budget, member.dataset);
            else takeRho(budget, member.dataset, member.rhoMicro);
        }
    }

    function takeRho(Budget storage budget, bytes32 dataset, uint64 rhoMicro) private {
        uint64 left = budget.total - budget.used;
        require(rhoMicro <= left, BudgetExceeded(dataset, left, rhoMicro));

        unchecked {
            budget.used += rhoMicro; // not above `total`
        }
    }

    function takeAllowance(Budget storage budget, bytes32 dataset) private {
        require(budget.exactUsed < budget.exactTotal, AllowanceExceeded(dataset, budget.exactTotal));

        budget.exactUsed += 1;
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

    /// @dev Takes exactly `amount` from an account that has approved it.
    function collect(address token, address from, uint256 amount) internal {
        if (amount == 0) return;
        uint256 before = balanceOf(token);
        IERC20(token).safeTransferFrom(from, address(this), amount);
        requireExactly(token, before, amount);
    }

    /// @dev Takes exactly `amount` from an account in the way that it has signed.
    function collectSigned(address token, address from, uint256 amount, bytes32 id, Payment calldata payment) internal {
        if (amount == 0) return;
        if (payment.means == Means.Authorization) {
            uint256 before = balanceOf(token);
            IERC3009(token)
                .receiveWithAuthorization(
                    from, address(this), amount, 0, payment.deadline, id, payment.v, payment.r, payment.s
                );
            return requireExactly(token, before, amount);
        }
        if (payment.means == Means.SignedApproval) {
            // Somebody may have used the signature before. What counts is the approval that stands.
            try IERC20Permit(token)
                .permit(from, address(this), amount, payment.deadline, payment.v, payment.r, payment.s) {}
                catch {}
        }
        collect(token, from, amount);
    }

    function requireExactly(address token, uint256 before, uint256 amount) private view {
        uint256 received = Math.saturatingSub(balanceOf(token), before);
        require(received == amount, InexactTransfer(token, amount, received));
    }

    function balanceOf(address token) private view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }

    function priceOf(Head calldata head) internal pure returns (uint256) {
        return uint256(head.cost) + head.margin;
    }

    function computeFeeOf(Head calldata head) internal pure returns (uint256) {
        return priceOf(head) * head.computeFeeBps / WHOLE_BPS;
    }
}
