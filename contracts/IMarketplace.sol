// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

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
/// Warning: the contract proves accounting, not that noise was added nor that a result is good.
/// Warning: a token whose balances change by themselves (rebasing, fee on transfer) is not supported; an order whose
/// price does not arrive exactly is refused.
/// Warning: there is no owner, no upgrade and no pause.
interface IMarketplace is IERC5267 {
    /// @notice What is sold.
    enum Kind {
        Synthetic,
        Analysis,
        Train
    }

    /// @notice What is promised about the records behind a result.
    enum Guarantee {
        DifferentiallyPrivate,
        Exact
    }

    /// @notice Where an order stands. Settled, Refunded and Forfeited are final.
    enum OrderState {
        Absent,
        Placed,
        Delivered,
        Accepted,
        Revealed,
        Contested,
        Settled,
        Refunded,
        Forfeited
    }

    /// @notice Why an order moved to the state it is in.
    enum Reason {
        None,
        Declined,
        NotDelivered,
        Rejected,
        NotAccepted,
        NotRevealed,
        PermitRevoked,
        Approved,
        Unchallenged,
        WrongByte,
        Ruled,
        NotRuled
    }

    /// @notice One population's records at one provider and their account for ever.
    /// @param provider Who holds the records.
    /// @param total What the dataset may reveal in all, in millionths of zCDP rho. Only grows.
    /// @param used What orders have taken of it. Falls only by `release`.
    /// @param version Counts from 1; `revise` adds one.
    struct Dataset {
        address provider;
        uint64 total;
        uint64 used;
        uint16 version;
    }

    /// @notice The terms of an offer, the same for all of its members.
    /// @param lead Who publishes the offer, posts its bonds and sends its deliveries.
    /// @param token The ERC-20 that price, bond and deposit are counted in.
    /// @param cost Price line: what making the result costs, in token units.
    /// @param margin Price line: what is charged above the cost, in token units. The price is `cost + margin`, above
    /// zero and below 2^96.
    /// @param delta The delta of the promise in units of 1e-18; at most 1e-5.
    /// @param deliverWindow Seconds from placing to delivery; at least a minute. No window is longer than 365 days.
    /// @param acceptWindow Seconds from delivery to acceptance; at least a minute.
    /// @param revealWindow Seconds from acceptance to the key; at least an hour.
    /// @param challengeWindow Seconds from the key to settlement by anyone; at least an hour.
    /// @param ruleWindow Seconds that an arbiter has; zero without an arbiter.
    /// @param licenceSeconds How long the licence lasts from the reveal; at least one, at most 3,650 days.
    /// @param computeFeeBps The part of the price, in basis points and at most 1,000, that a buyer who rejects a
    /// delivery or lets it lapse does not get back.
    /// @param bond What the lead stakes behind each order, in token units.
    /// @param contestDeposit What contesting costs up front; zero without an arbiter.
    /// @param maxOpen How many orders may be open at once; at least one.
    /// @param terms SHA-256 of the licence terms, a raw block of the content store.
    /// @param purposes The set of purposes that permits may have; zero without an authority.
    /// @param authority Whose permits are required; zero for none.
    /// @param arbiter Who rules contested orders; zero for none, and then nothing can be contested.
    /// @param stock The earlier delivery that this offer sells again; zero for none.
    /// @param validUntil The last second at which an order can be placed.
    struct Head {
        address lead;
        Kind kind;
        Guarantee guarantee;
        address token;
        uint128 cost;
        uint128 margin;
        uint64 delta;
        uint32 deliverWindow;
        uint32 acceptWindow;
        uint32 revealWindow;
        uint32 challengeWindow;
        uint32 ruleWindow;
        uint64 licenceSeconds;
        uint16 computeFeeBps;
        uint128 bond;
        uint128 contestDeposit;
        uint32 maxOpen;
        bytes32 terms;
        uint256 purposes;
        address authority;
        address arbiter;
        bytes32 stock;
        uint64 validUntil;
    }

    /// @notice One dataset behind an offer.
    /// @param shareBps The provider's share of what the offer earns, in basis points; all shares sum to 10,000.
    /// @param rhoMicro What one order takes from the dataset's budget, in millionths of zCDP rho; above zero.
    struct Member {
        bytes32 dataset;
        address provider;
        uint16 shareBps;
        uint64 rhoMicro;
    }

    /// @notice One purchase of an offer.
    /// @param offer The offer's id.
    /// @param specification SHA-256 of the specification, a raw block of the content store. It holds the sealing key
    /// made for this one order, so no two orders are alike.
    /// @param versions The version of each member's dataset that the buyer means: member `i` in bits `16 i` to
    /// `16 i + 15`, and no other bit.
    /// @param permit The permit that the buyer holds; zero where the offer names no authority.
    /// @param placeBy The last second at which this order can be placed.
    struct Order {
        bytes32 offer;
        address buyer;
        bytes32 specification;
        uint256 versions;
        bytes32 permit;
        uint64 placeBy;
    }

    /// @notice The provider's commitment to a sealed result.
    /// @param commitmentRoot Root of the tree over the sealed chunks.
    /// @param plainRoot Root of the tree over the result's salted chunks.
    /// @param keyHash SHA-256 of the byte 3, which is the key's tag, and the 32 bytes of the key.
    /// @param object SHA-256 digest in the CIDv1 of the sealed object.
    /// @param manifest SHA-256 digest in the CIDv1 of the manifest, a raw block.
    /// @param count How many chunks there are; above zero.
    /// @param objectCodec The codec in the object's CIDv1: 0x55 (raw) or 0x70 (dag-pb).
    struct Delivery {
        bytes32 commitmentRoot;
        bytes32 plainRoot;
        bytes32 keyHash;
        bytes32 object;
        bytes32 manifest;
        uint32 count;
        uint8 objectCodec;
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

    /// @notice What the ledger keeps of an order.
    /// @param deadline The last second at which the one who must act can do so; zero in a final state.
    /// @param revealedAt When the key was published; zero before.
    /// @param released Bit `i` is set once member `i` has released the order's rho.
    /// @param delivery The delivery hash; zero before.
    struct Standing {
        OrderState state;
        Reason reason;
        uint40 deadline;
        uint40 revealedAt;
        uint16 released;
        bytes32 delivery;
    }

    /// @notice What the ledger keeps of an offer.
    /// @param open How many of its orders are not in a final state.
    /// @param accrued What it has earned for its members in all, in token units.
    struct OfferStanding {
        bool published;
        bool retired;
        uint32 open;
        uint128 accrued;
    }

    event DatasetRegistered(
        bytes32 indexed dataset,
        address indexed provider,
        bytes32 salt,
        bytes32 commitment,
        bytes32 description,
        uint64 total
    );
    event DatasetRevised(bytes32 indexed dataset, uint16 version, bytes32 commitment, bytes32 description);
    event OfferPublished(bytes32 indexed offer, address indexed lead, Head head, Member[] members);
    event OfferRetired(bytes32 indexed offer, address indexed by);
    event Staked(address indexed token, address indexed account, uint256 amount);
    event OrderPlaced(
        bytes32 indexed order, bytes32 indexed offer, address indexed buyer, Order details, uint40 deadline
    );
    event OrderDelivered(bytes32 indexed order, bytes32 delivery, Delivery details, uint40 deadline);
    event OrderAccepted(bytes32 indexed order, bytes32 delivery, uint40 deadline);
    event OrderRevealed(bytes32 indexed order, bytes32 key, uint40 deadline);
    event OrderSettled(bytes32 indexed order, Reason reason);
    event OrderRefunded(bytes32 indexed order, Reason reason);
    event OrderForfeited(bytes32 indexed order, Reason reason);
    event RhoReleased(bytes32 indexed order, bytes32 indexed dataset, uint64 rhoMicro);
    event CreditWithdrawn(address indexed token, address indexed account, uint256 amount);
    event PayoutWithdrawn(bytes32 indexed offer, uint256 indexed member, address indexed provider, uint256 amount);

    /// @notice `field` must be zero: this contract does not serve it.
    error NotServed(string field);
    /// @notice `field` lies outside what the interface allows.
    error OutOfRange(string field, uint256 given, uint256 least, uint256 most);
    error DatasetExists(bytes32 dataset);
    error UnknownDataset(bytes32 dataset);
    error NotTheProvider(bytes32 dataset, address caller);
    error NotTheLead(address lead, address caller);
    error NotTheBuyer(address buyer, address caller);
    error SharesNotWhole(uint256 sumBps);
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
    error InsufficientCredit(address token, address account, uint256 credit, uint256 asked);
    error InexactTransfer(address token, uint256 expected, uint256 received);
    error WrongState(bytes32 order, OrderState state, OrderState expected);
    error TooLate(bytes32 order, uint40 deadline);
    error TooEarly(bytes32 order, uint40 deadline);
    error WrongDelivery(bytes32 order, bytes32 recorded, bytes32 given);
    error WrongKey(bytes32 order, bytes32 keyHash);
    error WrongSignature(address signer);
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
    function register(bytes32 salt, bytes32 commitment, bytes32 description, uint64 total)
        external
        returns (bytes32 dataset);

    /// @notice Puts new records and their description under the same budget as the next version.
    function revise(bytes32 dataset, bytes32 commitment, bytes32 description) external;

    // ------------------------------------------------------------------------------------------------------- offers

    /// @notice Publishes an offer of the caller. For now exactly one member, whose provider is the lead.
    function publish(Head calldata head, Member[] calldata members) external returns (bytes32 offer);

    /// @notice Ends an offer: no further order can be placed. Orders already placed go on.
    function retire(Head calldata head, bytes32 membersHash) external;

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
    /// from every member's budget. The caller must have approved the price.
    function place(Head calldata head, Member[] calldata members, Order calldata order) external returns (bytes32 id);

    /// @notice The lead turns a placed order down, by the deadline. The price goes back whole, the bond is freed.
    /// Warning: this does not give the rho back; `release` does, and asserts that no record was touched.
    function decline(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice The lead commits to a sealed result, by the deadline.
    function deliver(Head calldata head, Member[] calldata members, Order calldata order, Delivery calldata delivery)
        external;

    /// @notice The buyer accepts the delivery of this hash, by the deadline.
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

    /// @notice The lead publishes the key of an accepted delivery, by the deadline. The licence begins.
    function reveal(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        Delivery calldata delivery,
        bytes32 key
    ) external;

    /// @notice Ends a revealed order in the providers' favour: the buyer at any time, anyone else after the
    /// challenge window.
    function settle(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice Anyone ends an order whose delivery (price back whole) or acceptance (less the compute fee) did
    /// not come.
    function refund(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice Anyone ends an accepted order whose key did not come: price and bond go to the buyer.
    function forfeit(Head calldata head, bytes32 membersHash, Order calldata order) external;

    /// @notice The buyer proves by the deadline that the delivery contradicts itself: it commits to a chunk that the
    /// revealed key does not open to the hash that it commits to as well. Price and bond go to the buyer, and the licence
    /// is void. From Revealed, and from Contested still.
    /// Warning: this proves that chunk, hash and key disagree, not that a result is bad.
    function complain(
        Head calldata head,
        bytes32 membersHash,
        Order calldata order,
        Delivery calldata delivery,
        Complaint calldata complaint
    ) external;

    /// @notice The provider of member `index` gives the rho of an order that was refunded from Placed back to its
    /// dataset, and by doing so asserts for all to read that no record was touched.
    function release(Head calldata head, Member[] calldata members, Order calldata order, uint256 index) external;

    // -------------------------------------------------------------------------------------------------------- views

    /// @notice The id that `register` gives for this provider and salt.
    function datasetId(address provider, bytes32 salt) external view returns (bytes32);

    /// @notice EIP-712 encoding of a list of members.
    function hashMembers(Member[] calldata members) external pure returns (bytes32);

    /// @notice The offer's id: EIP-712 digest of `Offer(Head head,Member[] members)`.
    function offerId(Head calldata head, bytes32 membersHash) external view returns (bytes32);

    /// @notice The order's id: EIP-712 digest of `Order`.
    function orderId(Order calldata order) external view returns (bytes32);

    /// @notice The delivery hash: EIP-712 digest of `Delivery(bytes32 order,...)`, so it names chain, contract
    /// and order.
    function deliveryHash(bytes32 order, Delivery calldata delivery) external view returns (bytes32);

    /// @notice All zero for a dataset that was never registered.
    function getDataset(bytes32 dataset) external view returns (Dataset memory);

    /// @notice All zero for an offer that was never published.
    function getOffer(bytes32 offer) external view returns (OfferStanding memory);

    /// @notice All zero for an order that was never placed.
    function getOrder(bytes32 order) external view returns (Standing memory);

    /// @notice What `account` may withdraw in `token`, or lock as bonds.
    function getCredit(address token, address account) external view returns (uint256);

    /// @notice What member `index` of an offer has withdrawn of its payouts.
    function getWithdrawn(bytes32 offer, uint256 index) external view returns (uint256);

    /// @notice Whether `who` holds the licence of `order` at `time`: the order is Revealed or Settled, `who` is its
    /// buyer, and `time` lies from the reveal to the end of the term.
    function isLicensed(Head calldata head, bytes32 membersHash, Order calldata order, address who, uint256 time)
        external
        view
        returns (bool);
}
