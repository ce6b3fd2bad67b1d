// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Books} from "./Books.sol";
import {IMarketplace} from "./IMarketplace.sol";
import {Limits} from "./Limits.sol";
import {Sealing} from "./Sealing.sol";
import {TypedData} from "./TypedData.sol";

/// @title Marketplace
/// @notice Holds prices, bonds and credits by the rules of `IMarketplace`, where everything is specified.
/// @dev Each function goes: require, effect, emit, transfer. Only functions that call a token are `nonReentrant`; no
/// other function calls out, but for the read-only question to a buyer's wallet in `acceptFor`.
contract Marketplace is Books, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    constructor() EIP712("Agora Health", "1") {}

    // ---------------------------------------------------------------------------------------------------- datasets

    /// @inheritdoc IMarketplace
    function register(bytes32 salt, bytes32 commitment, bytes32 description, uint64 total)
        external
        returns (bytes32 dataset)
    {
        Limits.within("total", total, 1, type(uint64).max);
        dataset = datasetId(msg.sender, salt);
        require(providers[dataset] == address(0), DatasetExists(dataset));

        providers[dataset] = msg.sender;
        budgets[dataset] = Budget({total: total, used: 0, version: 1});
        emit DatasetRegistered(dataset, msg.sender, salt, commitment, description, total);
    }

    /// @inheritdoc IMarketplace
    function revise(bytes32 dataset, bytes32 commitment, bytes32 description) external {
        requireProvider(dataset, msg.sender);
        uint256 next = uint256(budgets[dataset].version) + 1;
        Limits.within("version", next, 2, type(uint16).max);

        budgets[dataset].version = uint16(next);
        emit DatasetRevised(dataset, uint16(next), commitment, description);
    }

    // ------------------------------------------------------------------------------------------------------- offers

    /// @inheritdoc IMarketplace
    function publish(Head calldata head, Member[] calldata members) external returns (bytes32 offer) {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        Limits.checkHead(head);
        Limits.checkMembers(members);
        requireProvider(members[0].dataset, members[0].provider);
        requireProvider(members[0].dataset, head.lead);
        offer = offerId(head, hashMembers(members));
        require(!offers[offer].published, OfferExists(offer));

        offers[offer].published = true;
        emit OfferPublished(offer, head.lead, head, members);
    }

    /// @inheritdoc IMarketplace
    function retire(Head calldata head, bytes32 membersHash) external {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        bytes32 offer = offerId(head, membersHash);
        require(offers[offer].published, UnknownOffer(offer));
        require(!offers[offer].retired, OfferIsRetired(offer));

        offers[offer].retired = true;
        emit OfferRetired(offer, msg.sender);
    }

    // -------------------------------------------------------------------------------------------------------- money

    /// @inheritdoc IMarketplace
    function stake(address token, uint256 amount) external nonReentrant {
        Limits.within("amount", amount, 1, type(uint128).max);
        require(token.code.length > 0, TokenWithoutCode(token));

        credit(token, msg.sender, amount);
        emit Staked(token, msg.sender, amount);
        collect(token, amount);
    }

    /// @inheritdoc IMarketplace
    function withdrawCredit(address token, uint256 amount) external nonReentrant {
        require(amount > 0, NothingToWithdraw());

        debit(token, msg.sender, amount);
        emit CreditWithdrawn(token, msg.sender, amount);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IMarketplace
    function withdrawPayout(Head calldata head, Member[] calldata members, uint256 index) external nonReentrant {
        bytes32 offer = offerId(head, hashMembers(members));
        require(offers[offer].published, UnknownOffer(offer));
        require(index < members.length, UnknownMember(offer, index));
        uint256 earned = uint256(offers[offer].accrued) * members[index].shareBps / WHOLE_BPS;
        uint256 amount = earned - withdrawn[offer][index];
        require(amount > 0, NothingToWithdraw());

        withdrawn[offer][index] = earned;
        emit PayoutWithdrawn(offer, index, members[index].provider, amount);
        IERC20(head.token).safeTransfer(members[index].provider, amount);
    }

    // ------------------------------------------------------------------------------------------ the way of an order

    /// @inheritdoc IMarketplace
    function place(Head calldata head, Member[] calldata members, Order calldata order)
        external
        nonReentrant
        returns (bytes32 id)
    {
        id = identify(head, hashMembers(members), order);
        OfferStanding storage offer = offers[order.offer];
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        require(order.permit == 0, NotServed("permit"));
        require(offer.published, UnknownOffer(order.offer));
        require(!offer.retired, OfferIsRetired(order.offer));
        require(block.timestamp <= head.validUntil, OfferExpired(order.offer, head.validUntil));
        require(block.timestamp <= order.placeBy, PlacedTooLate(id, order.placeBy));
        require(offer.open < head.maxOpen, TooManyOpen(order.offer, head.maxOpen));
        require(orders[id].state == OrderState.Absent, OrderExists(id));

        offer.open += 1;
        spend(members, order.versions);
        debit(head.token, head.lead, head.bond);
        uint40 deadline = advance(orders[id], OrderState.Placed, Reason.None, head.deliverWindow);
        emit OrderPlaced(id, order.offer, order.buyer, order, deadline);
        collect(head.token, priceOf(head));
    }

    /// @inheritdoc IMarketplace
    function decline(Head calldata head, bytes32 membersHash, Order calldata order) external {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        bytes32 id = identify(head, membersHash, order);
        Standing storage standing = inTime(id, OrderState.Placed);

        advance(standing, OrderState.Refunded, Reason.Declined, 0);
        divide(head, order, 0, head.bond);
        emit OrderRefunded(id, Reason.Declined);
    }

    /// @inheritdoc IMarketplace
    function deliver(Head calldata head, Member[] calldata members, Order calldata order, Delivery calldata delivery)
        external
    {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        Limits.checkDelivery(delivery);
        bytes32 id = identify(head, hashMembers(members), order);
        Standing storage standing = inTime(id, OrderState.Placed);
        bytes32 digest = deliveryHash(id, delivery);

        uint40 deadline = advance(standing, OrderState.Delivered, Reason.None, head.acceptWindow);
        standing.delivery = digest;
        emit OrderDelivered(id, digest, delivery, deadline);
    }

    /// @inheritdoc IMarketplace
    function accept(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 delivery) external {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        acceptDelivery(head, identify(head, membersHash, order), delivery);
    }

    /// @inheritdoc IMarketplace
    function acceptFor(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        bytes32 delivery,
        bytes calldata signature
    ) external {
        bytes32 id = identify(head, membersHash, order);
        requireSignature(order.buyer, _hashTypedDataV4(TypedData.hashAcceptance(id, delivery)), signature);
        acceptDelivery(head, id, delivery);
    }

    /// @inheritdoc IMarketplace
    function reject(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 delivery) external {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        bytes32 id = identify(head, membersHash, order);
        Standing storage standing = inTime(id, OrderState.Delivered);
        require(standing.delivery == delivery, WrongDelivery(id, standing.delivery, delivery));

        advance(standing, OrderState.Refunded, Reason.Rejected, 0);
        divide(head, order, computeFeeOf(head), head.bond);
        emit OrderRefunded(id, Reason.Rejected);
    }

    /// @inheritdoc IMarketplace
    function reveal(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        Delivery calldata delivery,
        bytes32 key
    ) external {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        bytes32 id = identify(head, membersHash, order);
        Standing storage standing = inTime(id, OrderState.Accepted);
        requireKey(standing, id, delivery, key);

        uint40 deadline = advance(standing, OrderState.Revealed, Reason.None, head.challengeWindow);
        standing.revealedAt = uint40(block.timestamp);
        emit OrderRevealed(id, key, deadline);
    }

    /// @inheritdoc IMarketplace
    function settle(Head calldata head, bytes32 membersHash, Order calldata order) external {
        bytes32 id = identify(head, membersHash, order);
        bool approved = msg.sender == order.buyer;
        Standing storage standing = approved ? inState(id, OrderState.Revealed) : overdue(id, OrderState.Revealed);
        Reason reason = approved ? Reason.Approved : Reason.Unchallenged;

        advance(standing, OrderState.Settled, reason, 0);
        divide(head, order, priceOf(head), head.bond);
        emit OrderSettled(id, reason);
    }

    /// @inheritdoc IMarketplace
    function refund(Head calldata head, bytes32 membersHash, Order calldata order) external {
        bytes32 id = identify(head, membersHash, order);
        bool delivered = orders[id].state == OrderState.Delivered;
        Standing storage standing = overdue(id, delivered ? OrderState.Delivered : OrderState.Placed);
        Reason reason = delivered ? Reason.NotAccepted : Reason.NotDelivered;

        advance(standing, OrderState.Refunded, reason, 0);
        divide(head, order, delivered ? computeFeeOf(head) : 0, head.bond);
        emit OrderRefunded(id, reason);
    }

    /// @inheritdoc IMarketplace
    function forfeit(Head calldata head, bytes32 membersHash, Order calldata order) external {
        bytes32 id = identify(head, membersHash, order);
        Standing storage standing = overdue(id, OrderState.Accepted);

        advance(standing, OrderState.Forfeited, Reason.NotRevealed, 0);
        divide(head, order, 0, 0);
        emit OrderForfeited(id, Reason.NotRevealed);
    }

    /// @inheritdoc IMarketplace
    function complain(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        Delivery calldata delivery,
        Complaint calldata complaint
    ) external {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        bytes32 id = identify(head, membersHash, order);
        bool contested = orders[id].state == OrderState.Contested;
        Standing storage standing = inTime(id, contested ? OrderState.Contested : OrderState.Revealed);
        requireKey(standing, id, delivery, complaint.key);
        requireWrongChunk(id, delivery, complaint);

        advance(standing, OrderState.Forfeited, Reason.WrongByte, 0);
        divide(head, order, 0, 0);
        emit OrderForfeited(id, Reason.WrongByte);
    }

    /// @inheritdoc IMarketplace
    function release(Head calldata head, Member[] calldata members, Order calldata order, uint256 index) external {
        bytes32 id = identify(head, hashMembers(members), order);
        Standing storage standing = orders[id];
        require(index < members.length, UnknownMember(order.offer, index));
        Member calldata member = members[index];
        require(msg.sender == member.provider, NotTheProvider(member.dataset, msg.sender));
        bool undelivered = standing.reason == Reason.Declined || standing.reason == Reason.NotDelivered;
        require(undelivered, NotReleasable(id, standing.state, standing.reason));
        uint16 bit = uint16(1 << index);
        require(standing.released & bit == 0, AlreadyReleased(id, index));

        standing.released |= bit;
        budgets[member.dataset].used -= member.rhoMicro;
        emit RhoReleased(id, member.dataset, member.rhoMicro);
    }

    /// @inheritdoc IMarketplace
    function isLicensed(Head calldata head, bytes32 membersHash, Order calldata order, address who, uint256 time)
        external
        view
        returns (bool)
    {
        Standing storage standing = orders[identify(head, membersHash, order)];
        bool live = standing.state == OrderState.Revealed || standing.state == OrderState.Settled;
        uint256 from = standing.revealedAt;
        return live && who == order.buyer && from <= time && time <= from + head.licenceSeconds;
    }

    // ------------------------------------------------------------------------------------------------ shared steps

    function acceptDelivery(Head calldata head, bytes32 id, bytes32 delivery) private {
        Standing storage standing = inTime(id, OrderState.Delivered);
        require(standing.delivery == delivery, WrongDelivery(id, standing.delivery, delivery));

        uint40 deadline = advance(standing, OrderState.Accepted, Reason.None, head.revealWindow);
        emit OrderAccepted(id, delivery, deadline);
    }

    function requireProvider(bytes32 dataset, address account) private view {
        address provider = providers[dataset];
        require(provider != address(0), UnknownDataset(dataset));
        require(provider == account, NotTheProvider(dataset, account));
    }

    /// @dev A key's own signature is tried before the account's code, which may be none, a wallet or a delegation.
    function requireSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        bool signed = problem == ECDSA.RecoverError.NoError && recovered == signer;
        require(
            signed || SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature),
            WrongSignature(signer)
        );
    }

    /// @dev `delivery` is the one that the order stands at, and `key` is what it promised.
    function requireKey(Standing storage standing, bytes32 id, Delivery calldata delivery, bytes32 key) private view {
        bytes32 digest = deliveryHash(id, delivery);
        require(standing.delivery == digest, WrongDelivery(id, standing.delivery, digest));
        require(delivery.keyHash == Sealing.hashKey(key), WrongKey(id, delivery.keyHash));
    }

    /// @dev The delivery commits to this chunk at this index, and its key does not open it to its hash.
    function requireWrongChunk(bytes32 id, Delivery calldata delivery, Complaint calldata complaint) private view {
        uint32 index = complaint.index;
        uint256 depth = Sealing.depthOf(delivery.count);
        Limits.within("index", index, 0, delivery.count - 1);
        Limits.within("path", complaint.path.length, depth, depth);
        Limits.within("cipher", complaint.cipher.length, Sealing.CHUNK_BYTES, Sealing.CHUNK_BYTES);
        bytes32 leaf = Sealing.hashLeaf(index, complaint.plainHash, complaint.cipher);
        bytes32 root = Sealing.rootOf(index, leaf, complaint.path);
        require(root == delivery.commitmentRoot, ChunkNotCommitted(id, index));
        bytes32 plainHash = Sealing.hashPlain(complaint.key, index, complaint.cipher);
        require(plainHash != complaint.plainHash, ChunkIsRight(id, index));
    }
}
