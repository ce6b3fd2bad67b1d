// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "./IBooks.sol";

/// @title The rules of a marketplace for health data in which the records never move.
/// @notice A provider sells results made from its datasets. The price waits here until the provider has committed to a
/// sealed result, the buyer has accepted that very result, the key has been published and the window for complaints
/// has closed. Every order takes its rho from the budgets of the datasets that it uses.
///
/// Offers and orders are not stored. They are named by their EIP-712 digest under this contract's domain and passed
/// back in calldata; the ledger keeps what changes: state, deadline, delivery hash, counters, budgets and credits.
///
/// Deadlines are inclusive for the one who must act and strict for everyone else: at the deadline's second the provider
/// may still deliver and nobody may yet refund.
///
/// Permits, the providers' own words and the licences stand in contracts of their own, which this one makes and names.
/// Wherever a signature is checked, that of a key is tried first and then the account's own code is asked (ERC-1271).
///
/// Warning: the contract proves accounting, not that noise was added nor that a result is good.
/// Warning: a token whose balances change by themselves (rebasing, fee on transfer) is not supported; an order whose
/// price does not arrive exactly is refused.
/// Warning: there is no owner, no upgrade and no pause.
interface IMarketplace is IBooks {
    /// @notice Why a provider turned an order down before it touched records.
    enum DeclineReason {
        Unstated,
        Specification,
        Rules,
        Budget,
        Records,
        Capacity
    }

    /// @notice How a relayed order is paid: out of an approval given before, by one signed for this (EIP-2612), or by a
    /// transfer signed for this order alone (EIP-3009).
    enum Means {
        Approval,
        SignedApproval,
        Authorization
    }

    /// @notice A provider's word that it is a member of an offer.
    /// @param until The last second at which the offer can be published with it.
    /// @param signature Over `Consent(Offer offer,uint64 until)`.
    struct Consent {
        uint64 until;
        bytes signature;
    }

    /// @notice The signature that pays for a relayed order.
    /// @param deadline The EIP-2612 deadline, or the EIP-3009 `validBefore` (with `validAfter` zero).
    struct Payment {
        Means means;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice The earlier order whose delivery becomes stock.
    struct Origin {
        Head head;
        Member[] members;
        Order order;
        Delivery delivery;
    }

    /// @notice One chunk that does not open to its hash. `docs/sealing.md` defines every byte.
    /// @param key The key that was revealed.
    /// @param index The chunk's place, below the delivery's count.
    /// @param plainHash The hash that the delivery commits to for what the chunk decrypts to.
    /// @param cipher The encrypted chunk that the delivery commits to, 1,024 bytes.
    /// @param path Siblings in the commitment tree from the leaf upwards, exactly as many as the tree is deep.
    struct Complaint {
        bytes32 key;
        uint32 index;
        bytes32 plainHash;
        bytes cipher;
        bytes32[] path;
    }

    event DatasetRegistered(
        bytes32 indexed dataset,
        address indexed provider,
        bytes32 salt,
        bytes32 commitment,
        bytes32 description,
        uint64 total,
        uint32 exactTotal
    );
    event DatasetRevised(bytes32 indexed dataset, uint16 version, bytes32 commitment, bytes32 description);
    event EpochOpened(bytes32 indexed dataset, uint16 epoch, uint64 total, uint32 exactTotal, bytes32 reason);
    event OfferPublished(bytes32 indexed offer, Head head, Member[] members);
    event StockOffered(bytes32 indexed offer, bytes32 indexed origin);
    event OfferRetired(bytes32 indexed offer, address indexed by);
    event Staked(address indexed token, address indexed account, uint256 amount);
    event OrderPlaced(
        bytes32 indexed order,
        bytes32 indexed offer,
        address indexed buyer,
        bytes32 specification,
        uint256 versions,
        bytes32 permit,
        uint64 placeBy
    );
    event OrderDelivered(bytes32 indexed order, bytes32 delivery, Delivery details);
    event OrderAccepted(bytes32 indexed order);
    event OrderRevealed(bytes32 indexed order, bytes32 key);
    event OrderDeclined(bytes32 indexed order, DeclineReason why);
    event OrderContested(bytes32 indexed order, bytes32 grounds);
    event OrderRuled(bytes32 indexed order, uint16 priceBps, uint16 bondBps);
    event OrderSettled(bytes32 indexed order, Reason reason);
    event OrderRefunded(bytes32 indexed order, Reason reason);
    event OrderForfeited(bytes32 indexed order, Reason reason);
    event RhoReleased(bytes32 indexed order, bytes32 indexed dataset, uint64 rhoMicro);
    event ExactReleased(bytes32 indexed order, bytes32 indexed dataset);
    event CreditWithdrawn(address indexed token, address indexed account, uint256 amount);
    event PayoutWithdrawn(bytes32 indexed offer, uint256 indexed member, address indexed provider, uint256 amount);

    /// @notice `field` must be zero here.
    error NotZero(bytes32 field);
    /// @notice `field` lies outside what the interface allows.
    error OutOfRange(bytes32 field, uint256 given, uint256 least, uint256 most);
    error DatasetExists(bytes32 dataset);
    error UnknownDataset(bytes32 dataset);
    error NotTheProvider(bytes32 dataset, address caller);
    error NotTheLead(address lead, address caller);
    error NotTheBuyer(address buyer, address caller);
    error NotTheArbiter(address arbiter, address caller);
    error NotAMember(bytes32 offer, uint256 member, address caller);
    error LeadIsNotAMember(address lead);
    error SharesNotWhole(uint256 sumBps);
    error MembersNotSorted(bytes32 before, bytes32 dataset);
    error SignatureMissing(address signer);
    error ConsentExpired(bytes32 dataset, uint64 until);
    error RoleConflict(bytes32 role, address account);
    error NotStock(bytes32 origin);
    error WrongStock(bytes32 stock, bytes32 plainRoot);
    error TokenWithoutCode(address token);
    error OfferExists(bytes32 offer);
    error UnknownOffer(bytes32 offer);
    error OfferIsRetired(bytes32 offer);
    error OfferExpired(bytes32 offer, uint64 validUntil);
    error WrongOffer(bytes32 named, bytes32 given);
    error TooManyOpen(bytes32 offer, uint32 maxOpen);
    error OrderExists(bytes32 order);
    error PlacedTooLate(bytes32 order, uint64 placeBy);
    error WrongVersion(bytes32 dataset, uint16 current, uint16 named);
    error BudgetExceeded(bytes32 dataset, uint64 left, uint64 asked);
    error AllowanceExceeded(bytes32 dataset, uint32 exactTotal);
    error InsufficientCredit(address token, address account, uint256 credit, uint256 asked);
    error InexactTransfer(address token, uint256 expected, uint256 received);
    error WrongState(bytes32 order, OrderState state, OrderState expected);
    error TooLate(bytes32 order, uint40 deadline);
    error TooEarly(bytes32 order, uint40 deadline);
    error WrongDelivery(bytes32 order, bytes32 recorded, bytes32 given);
    error WrongKey(bytes32 order, bytes32 keyHash);
    error WrongSignature(address signer);
    error NoArbiter(bytes32 order);
    error PermitNotRevoked(bytes32 order, bytes32 permit);
    error PermitWasRevoked(bytes32 order, bytes32 permit);
    error ChunkNotCommitted(bytes32 order, uint32 index);
    error ChunkIsRight(bytes32 order, uint32 index);
    error NotReleasable(bytes32 order, OrderState state, Reason reason);
    error AlreadyReleased(bytes32 order, uint256 member);
    error UnknownMember(bytes32 offer, uint256 member);
    error NothingToWithdraw();

    // ---------------------------------------------------------------------------------------------------- datasets

    /// @notice Registers a dataset of the caller with its budget. Its id is the hash of chain, contract, caller
    /// and `salt`.
    /// @param commitment Salted commitment to the records.
    /// @param description SHA-256 of the description, a raw block of the content store.
    /// @param total What the dataset may reveal in all, in micro-rho, above zero.
    /// @param exactTotal How many orders without a privacy promise its first epoch may serve.
    function register(bytes32 salt, bytes32 commitment, bytes32 description, uint64 total, uint32 exactTotal)
        external
        returns (bytes32 dataset);

    /// @notice Puts new records and their description under the same budget as the next version.
    function revise(bytes32 dataset, bytes32 commitment, bytes32 description) external;

    /// @notice Opens the dataset's next epoch: its total can only be raised, and its allowance of exact orders begins
    /// anew with `allowance`.
    /// @param reason SHA-256 of a document, a raw block of the content store, that says why.
    function openEpoch(bytes32 dataset, uint64 total, uint32 allowance, bytes32 reason) external;

    // ------------------------------------------------------------------------------------------------------- offers

    /// @notice Publishes an offer of the caller, who is one of its members' providers.
    /// @param consents One for each member whose provider is not the lead, in their order.
    function publish(Head calldata head, Member[] calldata members, Consent[] calldata consents)
        external
        returns (bytes32 offer);

    /// @notice Publishes an offer that sells the delivery of an earlier order again, byte for byte. That order had the
    /// same datasets, kind, guarantee, unit and delta, it was delivered, and no wrong byte was proven; how it ended does not
    /// matter.
    function publishStock(
        Head calldata head,
        Member[] calldata members,
        Consent[] calldata consents,
        Origin calldata origin
    ) external returns (bytes32 offer);

    /// @notice The provider of member `index` ends an offer: no further order can be placed. Orders already placed go
    /// on.
    function retire(Head calldata head, Member[] calldata members, uint256 index) external;

    // -------------------------------------------------------------------------------------------------------- money

    /// @notice Pays `amount` of `token`, above zero and below 2^128, into the caller's credit, from which
    /// bonds are taken.
    function stake(address token, uint256 amount) external;

    /// @notice Pays `amount` of the caller's credit out to it.
    function withdrawCredit(address token, uint256 amount) external;

    /// @notice Pays member `index` what the offer has earned for it since its last withdrawal. Anyone may call.
    /// It is `floor(accrued * shareBps / 10000)` less what it has withdrawn.
    function withdrawPayout(Head calldata head, Member[] calldata members, uint256 index) external;

    // --------------------------------------------------------------------------------------------- the way of an order

    /// @notice Places an order of the caller: takes the price, moves the bond out of the lead's credit, takes the rho
    /// from every member's budget (or one from its allowance), checks the permit. The caller must have approved the
    /// price.
    function place(Head calldata head, Member[] calldata members, Order calldata order) external returns (bytes32 id);

    /// @notice Anyone hands in an order with its buyer's signature, which is over the order itself, so its id is what
    /// is signed. The price comes from the buyer by `payment`; an EIP-3009 nonce is the order's id.
    function placeFor(
        Head calldata head,
        Member[] calldata members,
        Order calldata order,
        bytes calldata signature,
        Payment calldata payment
    ) external returns (bytes32 id);

    /// @notice The lead turns a placed order down, by the deadline. The price goes back whole, the bond is freed.
    /// Warning: this does not give the rho back; `release` does, and asserts that no record was touched.
    function decline(Head calldata head, bytes32 membersHash, Order calldata order, DeclineReason why) external;

    /// @notice The lead commits to a sealed result, by the deadline. Every other provider has signed the delivery,
    /// whose hash is what is signed.
    /// @param signatures One for each member whose provider is not the lead, in their order.
    function deliver(
        Head calldata head,
        Member[] calldata members,
        Order calldata order,
        Delivery calldata delivery,
        bytes[] calldata signatures
    ) external;

    /// @notice The buyer accepts the delivery of this hash, by the deadline. Its permit must outlive the reveal window.
    function accept(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 delivery) external;

    /// @notice Anyone hands in the buyer's signature over `Acceptance(order, delivery)`, by the deadline.
    function acceptFor(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        bytes32 delivery,
        bytes calldata signature
    ) external;

    /// @notice The buyer turns the delivery of this hash down, by the deadline. It loses the compute fee.
    function reject(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 delivery) external;

    /// @notice The lead publishes the key of an accepted delivery, by the deadline, unless the buyer's permit was
    /// revoked. The licence begins.
    function reveal(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        Delivery calldata delivery,
        bytes32 key
    ) external;

    /// @notice The buyer of a revealed order calls the arbiter, by the deadline, with the offer's deposit, which it
    /// must have approved.
    /// @param grounds SHA-256 of the document that says what is wrong, a raw block of the content store.
    function contest(Head calldata head, bytes32 membersHash, Order calldata order, bytes32 grounds) external;

    /// @notice The arbiter divides price and bond of a contested order, by the deadline, and earns the deposit. The
    /// order is Settled, or Refunded where the providers' share of the price is zero.
    /// @param priceBps The providers' share of the price, in basis points; the amount is floored, the rest the buyer's.
    /// @param bondBps The lead's share of the bond, likewise.
    function rule(Head calldata head, bytes32 membersHash, Order calldata order, uint16 priceBps, uint16 bondBps)
        external;

    /// @notice Ends a revealed order in the providers' favour: the buyer at any time, anyone else after the
    /// challenge window. Ends a contested one, too, for anyone after the arbiter's window: the deposit goes back.
    function settle(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice Anyone ends an order whose delivery (price back whole) or acceptance (less the compute fee) did
    /// not come, or whose permit was revoked between acceptance and the reveal's deadline (less the compute fee).
    function refund(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice Anyone ends an accepted order whose key did not come, with a permit that was alive: price and bond go to
    /// the buyer.
    function forfeit(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice The buyer proves by the deadline that the delivery contradicts itself: it commits to a chunk that the
    /// revealed key does not open to the hash that it commits to as well. Price and bond go to the buyer, and the
    /// licence is void. From Revealed, and from Contested still, when the deposit goes back too.
    /// Warning: this proves that chunk, hash and key disagree, not that a result is bad.
    function complain(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        Delivery calldata delivery,
        Complaint calldata complaint
    ) external;

    /// @notice The provider of member `index` gives what an order that was refunded from Placed took back to its
    /// dataset, and by doing so asserts for all to read that no record was touched.
    function release(Head calldata head, Member[] calldata members, Order calldata order, uint256 index) external;
}
