// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {ILicences} from "./ILicences.sol";
import {IPermits} from "./IPermits.sol";
import {IProviders} from "./IProviders.sol";

/// @title What the marketplace knows: the words, what it keeps, how things are named and read.
/// @notice Part of `IMarketplace`, which says what can be done.
interface IBooks is IERC5267 {
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

    /// @notice Whose records the promise of a pooled offer hides: all of one person's at all of its providers, or all of
    /// one person's at one provider. Of the second, a person at `k` of the providers loses up to `k * k` times the rho.
    enum PrivacyUnit {
        Person,
        PersonAtProvider
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
    /// @param exactTotal How many orders without a privacy promise it may serve, counted from its registration.
    /// @param exactUsed How many of them have been taken, counted likewise.
    /// @param version Counts from 1; `revise` adds one.
    /// @param epoch Counts from 1; `openEpoch` adds one.
    struct Dataset {
        address provider;
        uint64 total;
        uint64 used;
        uint32 exactTotal;
        uint32 exactUsed;
        uint16 version;
        uint16 epoch;
    }

    /// @notice The terms of an offer, the same for all of its members.
    /// @param lead Who publishes the offer, posts its bonds and sends its deliveries.
    /// @param token The ERC-20 that price, bond and deposit are counted in.
    /// @param cost Price line: what making the result costs, in token units.
    /// @param margin Price line: what is charged above the cost, in token units. The price is `cost + margin`, below
    /// 2^96, and above zero unless there is an authority.
    /// @param delta The delta of the promise in units of 1e-18; above zero and at most 1e-5; zero where it is Exact.
    /// @param deliverWindow Seconds from placing to delivery; at least a minute. No window is longer than 365 days.
    /// @param acceptWindow Seconds from delivery to acceptance; at least a minute.
    /// @param revealWindow Seconds from acceptance to the key; at least an hour.
    /// @param challengeWindow Seconds from the key to settlement by anyone; at least an hour.
    /// @param ruleWindow Seconds that the arbiter has, at least an hour; zero without an arbiter.
    /// @param licenceSeconds How long the licence lasts from the reveal; at least one, at most 3,650 days.
    /// @param computeFeeBps The part of the price, in basis points and at most 1,000, that a buyer who rejects a
    /// delivery or lets it lapse does not get back.
    /// @param bond What the lead stakes behind each order, in token units.
    /// @param contestDeposit What contesting costs up front, in token units, below 2^96; zero without an arbiter.
    /// @param maxOpen How many orders may be open at once; at least one.
    /// @param terms SHA-256 of the licence terms, a raw block of the content store.
    /// @param purposes The set of purposes that permits may have, purpose `p` as bit `p`; zero without an authority.
    /// @param authority Whose permits are required; zero for none. An Exact offer has one.
    /// @param arbiter Who rules contested orders; zero for none, and then nothing can be contested. None of the
    /// providers.
    /// @param stock The plain root of the earlier delivery that this offer sells again; zero for none.
    /// @param unit Whom the promise protects; PersonAtProvider only where it is DifferentiallyPrivate and there are two
    /// members or more.
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
        PrivacyUnit unit;
        uint64 validUntil;
    }

    /// @notice One dataset behind an offer: 1 to 16 of them, in the order of their ids.
    /// @param shareBps The provider's share of what the offer earns, in basis points; all shares sum to 10,000.
    /// @param rhoMicro What one order takes from the dataset's budget, in millionths of zCDP rho; above zero, but zero
    /// in an Exact offer, which takes one from each dataset's allowance, and in one of stock, which takes nothing.
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
    /// `16 i + 15`, and no other bit. Zero where the offer sells stock.
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

    /// @notice What the ledger keeps of an order.
    /// @param deadline The last second at which the one who must act can do so; zero in a final state.
    /// @param revealedAt When the key was published; zero before.
    /// @param released Bit `i` is set once member `i` has released what the order took.
    /// @param priceBps Where an arbiter ruled: the providers' share of the price, in basis points.
    /// @param bondBps Where an arbiter ruled: the lead's share of the bond, in basis points.
    /// @param delivery The delivery hash; zero before.
    struct Standing {
        OrderState state;
        Reason reason;
        uint40 deadline;
        uint40 revealedAt;
        uint16 released;
        uint16 priceBps;
        uint16 bondBps;
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

    // ------------------------------------------------------------------------------------------ names and views

    /// @notice The id that `register` gives for this provider and salt.
    function datasetId(address provider, bytes32 salt) external view returns (bytes32);

    /// @notice Keccak-256 of the ABI encoding of a list of members.
    function hashMembers(Member[] calldata members) external pure returns (bytes32);

    /// @notice The offer's id: EIP-712 digest of `OfferId(bytes32 head,bytes32 members)`, the struct hash of its head
    /// and `hashMembers` of its members. A head with bits that its fields do not have is the one of no offer.
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

    /// @notice The permits of authorities, made by this contract's constructor.
    function permits() external view returns (IPermits);

    /// @notice What providers say about themselves, made by this contract's constructor.
    function providers() external view returns (IProviders);

    /// @notice The licences that orders give, made by this contract's constructor.
    function licences() external view returns (ILicences);
}
