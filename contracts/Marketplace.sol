// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Books} from "./Books.sol";
import {Checks} from "./Checks.sol";
import {IBooks} from "./IBooks.sol";
import {ILicences} from "./ILicences.sol";
import {IMarketplace} from "./IMarketplace.sol";
import {IPermits} from "./IPermits.sol";
import {IProviders} from "./IProviders.sol";
import {Licences} from "./Licences.sol";
import {Limits} from "./Limits.sol";
import {Permits} from "./Permits.sol";
import {Providers} from "./Providers.sol";
import {Sealing} from "./Sealing.sol";
import {TypedData} from "./TypedData.sol";

/// @title Marketplace
/// @notice Holds prices, bonds and credits by the rules of `IMarketplace`, where everything is specified.
/// @dev Each function goes: require, effect, emit, transfer. Only functions that call a token are `nonReentrant`; no
/// other function calls out, but for read-only questions to `permits` and to the wallets of those who sign.
contract Marketplace is Books, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IBooks
    IPermits public immutable permits = new Permits();
    /// @inheritdoc IBooks
    IProviders public immutable providers = new Providers();
    /// @inheritdoc IBooks
    ILicences public immutable licences = new Licences(this);

    Checks private immutable checks = new Checks();

    constructor() EIP712("Agora Health", "1") {}

    // ---------------------------------------------------------------------------------------------------- datasets

    /// @inheritdoc IMarketplace
    function register(bytes32 salt, bytes32 commitment, bytes32 description, uint64 total, uint32 exactTotal)
        external
        returns (bytes32 dataset)
    {
        Limits.within("total", total, 1, type(uint64).max);
        dataset = datasetId(msg.sender, salt);
        require(providerOf[dataset] == address(0), DatasetExists(dataset));

        providerOf[dataset] = msg.sender;
        budgets[dataset] = Budget({total: total, used: 0, exactTotal: exactTotal, exactUsed: 0, version: 1, epoch: 1});
        emit DatasetRegistered(dataset, msg.sender, salt, commitment, description, total, exactTotal);
    }

    /// @inheritdoc IMarketplace
    function revise(bytes32 dataset, bytes32 commitment, bytes32 description) external {
        requireProvider(dataset, msg.sender);
        uint256 next = uint256(budgets[dataset].version) + 1;
        Limits.within("version", next, 2, type(uint16).max);

        budgets[dataset].version = uint16(next);
        emit DatasetRevised(dataset, uint16(next), commitment, description);
    }

    /// @inheritdoc IMarketplace
    function openEpoch(bytes32 dataset, uint64 total, uint32 allowance, bytes32 reason) external {
        requireProvider(dataset, msg.sender);
        Budget storage budget = budgets[dataset];
        uint256 epoch = uint256(budget.epoch) + 1;
        uint256 exactTotal = uint256(budget.exactUsed) + allowance;
        Limits.within("total", total, budget.total, type(uint64).max);
        Limits.within("allowance", exactTotal, 0, type(uint32).max);
        Limits.within("epoch", epoch, 2, type(uint16).max);

        budget.total = total;
        budget.exactTotal = uint32(exactTotal);
        budget.epoch = uint16(epoch);
        emit EpochOpened(dataset, uint16(epoch), total, uint32(exactTotal), reason);
    }

    // ------------------------------------------------------------------------------------------------------- offers

    /// @inheritdoc IMarketplace
    function publish(Head calldata head, Member[] calldata members, Consent[] calldata consents)
        external
        returns (bytes32 offer)
    {
        putToChecks();
        offer = publishOffer(head, members, consents);
    }

    /// @inheritdoc IMarketplace
    function publishStock(Head calldata head, Member[] calldata members, Consent[] calldata consents, Origin calldata)
        external
        returns (bytes32 offer)
    {
        bytes32 origin = abi.decode(putToChecks(), (bytes32));
        offer = publishOffer(head, members, consents);
        emit StockOffered(offer, origin);
    }

    /// @inheritdoc IMarketplace
    function retire(Head calldata, Member[] calldata members, uint256 index) external {
        bytes32 offer = calledOffer(members);
        require(offers[offer].published, UnknownOffer(offer));
        require(index < members.length, UnknownMember(offer, index));
        require(msg.sender == members[index].provider, NotAMember(offer, index, msg.sender));
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
        collect(token, msg.sender, amount);
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
        bytes32 offer = calledOffer(members);
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
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        id = calledOrder(calledOffer(members), order);
        enter(head, members, order, id);
        collect(head.token, order.buyer, priceOf(head));
    }

    /// @inheritdoc IMarketplace
    function placeFor(
        Head calldata head,
        Member[] calldata members,
        Order calldata order,
        bytes calldata signature,
        Payment calldata payment
    ) external nonReentrant returns (bytes32 id) {
        id = calledOrder(calledOffer(members), order);
        requireSignature(order.buyer, id, signature);
        enter(head, members, order, id);
        collectSigned(head.token, order.buyer, priceOf(head), id, payment);
    }

    /// @inheritdoc IMarketplace
    function decline(Head calldata head, bytes32 membersHash, Order calldata order, DeclineReason why) external {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        Standing storage standing = inTime(id, OrderState.Placed);

        advance(standing, OrderState.Placed, OrderState.Refunded, Reason.Declined, 0);
        divide(head, order, 0, head.bond);
        emit OrderDeclined(id, why);
        emit OrderRefunded(id, Reason.Declined);
    }

    /// @inheritdoc IMarketplace
    function deliver(
        Head calldata head,
        Member[] calldata members,
        Order calldata order,
        Delivery calldata delivery,
        bytes[] calldata signatures
    ) external {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        Limits.checkDelivery(head, delivery);
        bytes32 id = calledOrder(calledOffer(members), order);
        Standing storage standing = inTime(id, OrderState.Placed);
        bytes32 digest = calledDelivery(id);
        uint256 signed = 0;
        for (uint256 i = 0; i < members.length; i++) {
            if (members[i].provider == head.lead) continue;
            require(signed < signatures.length, SignatureMissing(members[i].provider));
            requireSignature(members[i].provider, digest, signatures[signed++]);
        }

        advance(standing, OrderState.Placed, OrderState.Delivered, Reason.None, head.acceptWindow);
        standing.delivery = digest;
        emit OrderDelivered(id, digest, delivery);
    }

    /// @inheritdoc IMarketplace
    function accept(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 delivery) external {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        acceptDelivery(head, order, calledOrder(calledOffer(membersHash), order), delivery);
    }

    /// @inheritdoc IMarketplace
    function acceptFor(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        bytes32 delivery,
        bytes calldata signature
    ) external {
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        requireSignature(order.buyer, _hashTypedDataV4(TypedData.hashAcceptance(id, delivery)), signature);
        acceptDelivery(head, order, id, delivery);
    }

    /// @inheritdoc IMarketplace
    function reject(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 delivery) external {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        Standing storage standing = inTime(id, OrderState.Delivered);
        require(standing.delivery == delivery, WrongDelivery(id, standing.delivery, delivery));

        advance(standing, OrderState.Delivered, OrderState.Refunded, Reason.Rejected, 0);
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
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        Standing storage standing = inTime(id, OrderState.Accepted);
        requireKey(standing, id, delivery, key);
        if (order.permit != 0) permits.requireLive(order.permit, block.timestamp);

        advance(standing, OrderState.Accepted, OrderState.Revealed, Reason.None, head.challengeWindow);
        standing.revealedAt = uint40(block.timestamp);
        emit OrderRevealed(id, key);
    }

    /// @inheritdoc IMarketplace
    function contest(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 grounds)
        external
        nonReentrant
    {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        Standing storage standing = inTime(id, OrderState.Revealed);
        require(head.arbiter != address(0), NoArbiter(id));

        advance(standing, OrderState.Revealed, OrderState.Contested, Reason.None, head.ruleWindow);
        emit OrderContested(id, grounds);
        collect(head.token, order.buyer, head.contestDeposit);
    }

    /// @inheritdoc IMarketplace
    function rule(Head calldata head, bytes32 membersHash, Order calldata order, uint16 priceBps, uint16 bondBps)
        external
    {
        require(msg.sender == head.arbiter, NotTheArbiter(head.arbiter, msg.sender));
        Limits.within("priceBps", priceBps, 0, WHOLE_BPS);
        Limits.within("bondBps", bondBps, 0, WHOLE_BPS);
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        Standing storage standing = inTime(id, OrderState.Contested);
        OrderState to = priceBps == 0 ? OrderState.Refunded : OrderState.Settled;

        advance(standing, OrderState.Contested, to, Reason.Ruled, 0);
        (standing.priceBps, standing.bondBps) = (priceBps, bondBps);
        divide(head, order, priceOf(head) * priceBps / WHOLE_BPS, uint256(head.bond) * bondBps / WHOLE_BPS);
        credit(head.token, head.arbiter, head.contestDeposit);
        emit OrderRuled(id, priceBps, bondBps);
        if (priceBps == 0) emit OrderRefunded(id, Reason.Ruled);
        else emit OrderSettled(id, Reason.Ruled);
    }

    /// @inheritdoc IMarketplace
    function settle(Head calldata head, bytes32 membersHash, Order calldata order) external {
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        bool contested = orders[id].state == OrderState.Contested;
        bool approved = !contested && msg.sender == order.buyer;
        OrderState from = contested ? OrderState.Contested : OrderState.Revealed;
        Standing storage standing = approved ? inState(id, from) : overdue(id, from);
        Reason reason = contested ? Reason.NotRuled : approved ? Reason.Approved : Reason.Unchallenged;

        advance(standing, from, OrderState.Settled, reason, 0);
        divide(head, order, priceOf(head), head.bond);
        if (contested) credit(head.token, order.buyer, head.contestDeposit);
        emit OrderSettled(id, reason);
    }

    /// @inheritdoc IMarketplace
    function refund(Head calldata head, bytes32 membersHash, Order calldata order) external {
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        if (orders[id].state == OrderState.Accepted) return refundRevoked(head, order, id);
        bool delivered = orders[id].state == OrderState.Delivered;
        OrderState from = delivered ? OrderState.Delivered : OrderState.Placed;
        Standing storage standing = overdue(id, from);
        Reason reason = delivered ? Reason.NotAccepted : Reason.NotDelivered;

        advance(standing, from, OrderState.Refunded, reason, 0);
        divide(head, order, delivered ? computeFeeOf(head) : 0, head.bond);
        emit OrderRefunded(id, reason);
    }

    /// @inheritdoc IMarketplace
    function forfeit(Head calldata head, bytes32 membersHash, Order calldata order) external {
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        Standing storage standing = overdue(id, OrderState.Accepted);
        require(!wasRevoked(order, standing), PermitWasRevoked(id, order.permit));

        advance(standing, OrderState.Accepted, OrderState.Forfeited, Reason.NotRevealed, 0);
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
        bytes32 id = calledOrder(calledOffer(membersHash), order);
        bool contested = orders[id].state == OrderState.Contested;
        OrderState from = contested ? OrderState.Contested : OrderState.Revealed;
        Standing storage standing = inTime(id, from);
        requireKey(standing, id, delivery, complaint.key);
        putToChecks();

        advance(standing, from, OrderState.Forfeited, Reason.WrongByte, 0);
        divide(head, order, 0, 0);
        if (contested) credit(head.token, order.buyer, head.contestDeposit);
        emit OrderForfeited(id, Reason.WrongByte);
    }

    /// @inheritdoc IMarketplace
    function release(Head calldata head, Member[] calldata members, Order calldata order, uint256 index) external {
        bytes32 id = calledOrder(calledOffer(members), order);
        Standing storage standing = orders[id];
        require(index < members.length, UnknownMember(order.offer, index));
        Member calldata member = members[index];
        require(msg.sender == member.provider, NotTheProvider(member.dataset, msg.sender));
        bool undelivered = standing.reason == Reason.Declined || standing.reason == Reason.NotDelivered;
        require(undelivered && head.stock == 0, NotReleasable(id, standing.state, standing.reason));
        uint16 bit = uint16(1 << index);
        require(standing.released & bit == 0, AlreadyReleased(id, index));

        standing.released |= bit;
        if (head.guarantee == Guarantee.Exact) {
            budgets[member.dataset].exactUsed -= 1;
            emit ExactReleased(id, member.dataset);
        } else {
            budgets[member.dataset].used -= member.rhoMicro;
            emit RhoReleased(id, member.dataset, member.rhoMicro);
        }
    }

    // ------------------------------------------------------------------------------------------------ shared steps

    function publishOffer(Head calldata head, Member[] calldata members, Consent[] calldata consents)
        private
        returns (bytes32 offer)
    {
        require(msg.sender == head.lead, NotTheLead(head.lead, msg.sender));
        offer = calledOffer(members);
        bytes32 structHash = TypedData.hashOffer(TypedData.hashCalledHead(), members);
        require(!offers[offer].published, OfferExists(offer));
        uint256 signed = 0;
        for (uint256 i = 0; i < members.length; i++) {
            requireProvider(members[i].dataset, members[i].provider);
            if (members[i].provider == head.lead) continue;
            require(signed < consents.length, SignatureMissing(members[i].provider));
            requireConsent(structHash, members[i], consents[signed++]);
        }

        offers[offer].published = true;
        emit OfferPublished(offer, head, members);
    }

    /// @dev Puts the very call that came to `checks`, and reverts as it does.
    function putToChecks() private view returns (bytes memory answer) {
        return Address.functionStaticCall(address(checks), msg.data);
    }

    /// @dev What placing an order asks and does, all but taking the price.
    function enter(Head calldata head, Member[] calldata members, Order calldata order, bytes32 id) private {
        OfferStanding storage offer = offers[order.offer];
        require(offer.published, UnknownOffer(order.offer));
        require(!offer.retired, OfferIsRetired(order.offer));
        require(block.timestamp <= head.validUntil, OfferExpired(order.offer, head.validUntil));
        require(block.timestamp <= order.placeBy, PlacedTooLate(id, order.placeBy));
        require(offer.open < head.maxOpen, TooManyOpen(order.offer, head.maxOpen));
        require(order.buyer != head.arbiter, RoleConflict("arbiter", order.buyer));
        require(orders[id].state == OrderState.Absent, OrderExists(id));
        requirePermit(head, members, order);

        offer.open += 1;
        spend(head, members, order.versions);
        debit(head.token, head.lead, head.bond);
        advance(orders[id], OrderState.Absent, OrderState.Placed, Reason.None, head.deliverWindow);
        emit OrderPlaced(id, order.offer, order.buyer, order.specification, order.versions, order.permit, order.placeBy);
    }

    function acceptDelivery(Head calldata head, Order calldata order, bytes32 id, bytes32 delivery) private {
        Standing storage standing = inTime(id, OrderState.Delivered);
        require(standing.delivery == delivery, WrongDelivery(id, standing.delivery, delivery));
        if (order.permit != 0) permits.requireLive(order.permit, block.timestamp + head.revealWindow);

        advance(standing, OrderState.Delivered, OrderState.Accepted, Reason.None, head.revealWindow);
        emit OrderAccepted(id);
    }

    function refundRevoked(Head calldata head, Order calldata order, bytes32 id) private {
        Standing storage standing = orders[id];
        require(wasRevoked(order, standing), PermitNotRevoked(id, order.permit));

        advance(standing, OrderState.Accepted, OrderState.Refunded, Reason.PermitRevoked, 0);
        divide(head, order, computeFeeOf(head), head.bond);
        emit OrderRefunded(id, Reason.PermitRevoked);
    }

    /// @dev Whether the permit of an accepted order was revoked at or before the deadline of its key.
    function wasRevoked(Order calldata order, Standing storage standing) private view returns (bool) {
        if (order.permit == 0) return false;
        uint40 revokedAt = permits.revokedAt(order.permit);
        return revokedAt != 0 && revokedAt <= standing.deadline;
    }

    function requirePermit(Head calldata head, Member[] calldata members, Order calldata order) private view {
        if (head.authority == address(0)) return Limits.within("permit", uint256(order.permit), 0, 0);
        bytes32[] memory datasets = new bytes32[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            datasets[i] = members[i].dataset;
        }
        permits.requirePermit(order.permit, head.authority, order.buyer, head.purposes, order.offer, datasets);
    }

    /// @dev `structHash` is the offer's, before the domain: the provider signs the offer itself.
    function requireConsent(bytes32 structHash, Member calldata member, Consent calldata consent) private view {
        require(block.timestamp <= consent.until, ConsentExpired(member.dataset, consent.until));
        bytes32 digest = _hashTypedDataV4(TypedData.hashConsent(structHash, consent.until));
        requireSignature(member.provider, digest, consent.signature);
    }

    function requireProvider(bytes32 dataset, address account) private view {
        address provider = providerOf[dataset];
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
        bytes32 digest = calledDelivery(id);
        require(standing.delivery == digest, WrongDelivery(id, standing.delivery, digest));
        require(delivery.keyHash == Sealing.hashKey(key), WrongKey(id, delivery.keyHash));
    }
}
