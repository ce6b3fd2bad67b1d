// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../IBooks.sol";
import {ILicences} from "../ILicences.sol";
import {IMarketplace} from "../IMarketplace.sol";
import {IPermits} from "../IPermits.sol";
import {IProviders} from "../IProviders.sol";
import {Test} from "./Test.sol";
import {TypedDataReference} from "./TypedDataReference.sol";

/// @dev A token that anyone can make.
interface IMoney {
    function mint(address account, uint256 amount) external;
    function approve(address spender, uint256 amount) external;
    function balanceOf(address account) external view returns (uint256);
}

interface IReentering {
    function arm(address target, bytes calldata data) external;
}

interface IBlocking {
    function block_(address account) external;
}

/// @title A market with providers, a buyer and others who have money, datasets, and orders in any state.
/// @dev The contracts are known by their interfaces alone, so that these tests compile apart from them.
abstract contract Market is Test {
    /// @dev One order, all that is passed with it, and what it will be called.
    struct Life {
        IBooks.Head head;
        IBooks.Member[] members;
        bytes32 membersHash;
        IBooks.Order order;
        bytes32 id;
        IBooks.Delivery delivery;
        bytes32 digest;
    }

    IBooks.OrderState internal constant ABSENT = IBooks.OrderState.Absent;
    IBooks.OrderState internal constant PLACED = IBooks.OrderState.Placed;
    IBooks.OrderState internal constant DELIVERED = IBooks.OrderState.Delivered;
    IBooks.OrderState internal constant ACCEPTED = IBooks.OrderState.Accepted;
    IBooks.OrderState internal constant REVEALED = IBooks.OrderState.Revealed;
    IBooks.OrderState internal constant CONTESTED = IBooks.OrderState.Contested;
    IBooks.OrderState internal constant SETTLED = IBooks.OrderState.Settled;
    IBooks.OrderState internal constant REFUNDED = IBooks.OrderState.Refunded;
    IBooks.OrderState internal constant FORFEITED = IBooks.OrderState.Forfeited;

    uint256 internal constant EURO = 1e6;
    uint256 internal constant CHAIN = 31_337;
    uint256 internal constant START = 1_700_000_000;
    uint64 internal constant TOTAL = 1_000_000;
    uint32 internal constant EXACT_TOTAL = 10;
    uint64 internal constant RHO = 100;
    uint8 internal constant PURPOSE = 7;
    bytes32 internal constant COMMITMENT = keccak256("commitment");
    bytes32 internal constant DESCRIPTION = keccak256("description");
    bytes32 internal constant DOCUMENT = keccak256("document");
    bytes32 internal constant KEY = keccak256("key");
    bytes32 internal constant OTHER = keccak256("other");

    IMarketplace internal rules;
    IPermits internal permits;
    IProviders internal registry;
    ILicences internal licences;
    IMoney internal euro;
    address internal provider;
    address internal buyer;
    address internal stranger;
    address internal authority;
    address internal arbiter;
    bytes32 internal dataset;

    function setUp() public virtual {
        vm.chainId(CHAIN);
        vm.warp(START);
        (provider, buyer, stranger) = (named("provider"), named("buyer"), named("stranger"));
        (authority, arbiter) = (named("authority"), named("arbiter"));
        rules = IMarketplace(vm.deployCode("Marketplace.sol:Marketplace"));
        (permits, registry, licences) = (rules.permits(), rules.providers(), rules.licences());
        euro = IMoney(vm.deployCode("TestEuro.sol:TestEuro"));
        fund(euro, provider);
        fund(euro, buyer);
        dataset = register(provider, "dataset");
    }

    // ------------------------------------------------------------------------------------------------------ making

    /// @dev A million for `owner`, all of it approved.
    function fund(IMoney token, address owner) internal {
        token.mint(owner, 1_000_000 * EURO);
        vm.prank(owner);
        token.approve(address(rules), type(uint256).max);
    }

    /// @dev A token of `test-doubles/Tokens.sol`, of which the buyer has a million.
    function hostile(string memory kind) internal returns (IMoney token) {
        token = IMoney(vm.deployCode(string.concat("Tokens.sol:", kind)));
        fund(token, buyer);
    }

    function register(address owner, bytes32 salt) internal returns (bytes32) {
        vm.prank(owner);
        return rules.register(salt, COMMITMENT, DESCRIPTION, TOTAL, EXACT_TOTAL);
    }

    function stake(Life memory life, uint256 amount) internal {
        vm.prank(life.head.lead);
        rules.stake(life.head.token, amount);
    }

    /// @dev An offer's head as most are here: no authority, no arbiter.
    function usualHead() internal view returns (IBooks.Head memory head) {
        head.lead = provider;
        head.token = address(euro);
        head.cost = uint128(400 * EURO);
        head.margin = uint128(100 * EURO);
        head.delta = 1e13;
        head.deliverWindow = 1 days;
        head.acceptWindow = 2 days;
        head.revealWindow = 6 hours;
        head.challengeWindow = 3 days;
        head.licenceSeconds = 365 days;
        head.computeFeeBps = 500;
        head.bond = uint128(50 * EURO);
        head.maxOpen = 10;
        head.terms = keccak256("terms");
        head.validUntil = uint64(START + 365 days);
    }

    function usualMembers() internal view returns (IBooks.Member[] memory members) {
        members = new IBooks.Member[](1);
        members[0] = IBooks.Member({dataset: dataset, provider: provider, shareBps: 10_000, rhoMicro: RHO});
    }

    /// @dev `count` members of as many providers, the first of them the usual one, in the order of their datasets. Shares
    /// are as even as they can be.
    function pool(uint256 count) internal returns (IBooks.Member[] memory members) {
        members = new IBooks.Member[](count);
        for (uint256 i = 0; i < count; i++) {
            address owner = i == 0 ? provider : named(string(abi.encodePacked("member ", bytes1(uint8(97 + i)))));
            uint256 share = 10_000 / count + (i < 10_000 % count ? 1 : 0);
            bytes32 its = i == 0 ? dataset : register(owner, "dataset");
            insert(members, i, IBooks.Member(its, owner, uint16(share), RHO));
        }
    }

    function insert(IBooks.Member[] memory members, uint256 count, IBooks.Member memory member) internal pure {
        uint256 place_ = count;
        for (; place_ > 0 && members[place_ - 1].dataset > member.dataset; place_--) {
            members[place_] = members[place_ - 1];
        }
        members[place_] = member;
    }

    /// @dev An order of the usual offer, which may not be published yet.
    function usual() internal view returns (Life memory) {
        return draft(usualHead(), usualMembers());
    }

    /// @dev An order of a pool of two providers; `partner` is the one that does not lead.
    function pooled() internal returns (Life memory) {
        return draft(usualHead(), pool(2));
    }

    /// @dev Which of two members does not lead.
    function partner(Life memory life) internal pure returns (uint256) {
        return life.members[0].provider == life.head.lead ? 1 : 0;
    }

    /// @dev The usual offer with an arbiter, who has a day, and a deposit.
    function arbitrated() internal view returns (Life memory) {
        IBooks.Head memory head = usualHead();
        head.arbiter = arbiter;
        head.ruleWindow = 1 days;
        head.contestDeposit = uint128(20 * EURO);
        return draft(head, usualMembers());
    }

    /// @dev The usual offer under an authority that has granted the buyer a permit for it for a year.
    function permitted() internal returns (Life memory life) {
        IBooks.Head memory head = usualHead();
        head.authority = authority;
        head.purposes = 1 << PURPOSE;
        life = draft(head, usualMembers());
        life.order.permit = grant(life.order.offer, START, START + 365 days);
        rename(life);
    }

    /// @dev The usual offer without a privacy promise, under an authority.
    function exact() internal returns (Life memory life) {
        IBooks.Head memory head = usualHead();
        head.authority = authority;
        head.purposes = 1 << PURPOSE;
        head.guarantee = IBooks.Guarantee.Exact;
        head.delta = 0;
        IBooks.Member[] memory members = usualMembers();
        members[0].rhoMicro = 0;
        life = draft(head, members);
        life.order.permit = grant(life.order.offer, START, START + 365 days);
        rename(life);
    }

    /// @dev An order of an offer that sells again what `origin` delivered, by the same members.
    function stockOf(Life memory origin) internal view returns (Life memory life) {
        IBooks.Head memory head = abi.decode(abi.encode(origin.head), (IBooks.Head));
        head.stock = origin.delivery.plainRoot;
        IBooks.Member[] memory members = abi.decode(abi.encode(origin.members), (IBooks.Member[]));
        for (uint256 i = 0; i < members.length; i++) {
            members[i].rhoMicro = 0;
        }
        life = draft(head, members);
        life.order.permit = origin.order.permit;
        rename(life);
    }

    function grant(bytes32 subject, uint256 from, uint256 to) internal returns (bytes32) {
        bytes32[] memory subjects = new bytes32[](1);
        subjects[0] = subject;
        vm.prank(authority);
        return permits.grant(buyer, PURPOSE, uint40(from), uint40(to), DOCUMENT, subjects);
    }

    function revoke(bytes32 permit) internal {
        vm.prank(authority);
        permits.revoke(permit, DOCUMENT);
    }

    /// @dev An order of this offer, the usual one otherwise.
    function draft(IBooks.Head memory head, IBooks.Member[] memory members) internal view returns (Life memory life) {
        life.head = head;
        life.members = members;
        life.order.buyer = buyer;
        life.order.specification = keccak256("specification");
        life.order.placeBy = uint64(START + 7 days);
        for (uint256 i = 0; i < members.length && head.stock == 0; i++) {
            life.order.versions |= 1 << 16 * i;
        }
        life.delivery = usualDelivery();
        rename(life);
    }

    function usualDelivery() internal pure returns (IBooks.Delivery memory) {
        return IBooks.Delivery({
            commitmentRoot: keccak256("commitment root"),
            plainRoot: keccak256("plain root"),
            keyHash: sha256(abi.encodePacked(uint8(3), KEY)),
            object: keccak256("object"),
            manifest: keccak256("manifest"),
            count: 32_767,
            objectCodec: 0x70
        });
    }

    /// @dev Names offer, order and delivery anew, after a change to any of them.
    function rename(Life memory life) internal view {
        life.membersHash = TypedDataReference.members(life.members);
        life.order.offer = digestOf(TypedDataReference.offerId(life.head, life.membersHash));
        life.id = digestOf(TypedDataReference.order(life.order));
        life.digest = digestOf(TypedDataReference.delivery(life.id, life.delivery));
    }

    /// @dev The same offer's order with another specification.
    function another(Life memory life, uint256 number) internal view {
        life.order.specification = keccak256(abi.encode("specification", number));
        rename(life);
    }

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return TypedDataReference.digest(address(rules), structHash);
    }

    // -------------------------------------------------------------------------------------------------- signatures

    /// @dev The consent, for an hour, of each member that is not the lead's, in their order.
    function consents(Life memory life) internal view returns (IMarketplace.Consent[] memory list) {
        address[] memory others = signers(life);
        list = new IMarketplace.Consent[](others.length);
        for (uint256 i = 0; i < others.length; i++) {
            list[i] = consent(life, others[i], uint64(block.timestamp + 1 hours));
        }
    }

    function consent(Life memory life, address signer, uint64 until)
        internal
        view
        returns (IMarketplace.Consent memory)
    {
        bytes32 offer = TypedDataReference.offer(life.head, life.members);
        return IMarketplace.Consent(until, sign(signer, digestOf(TypedDataReference.consent(offer, until))));
    }

    /// @dev The signature of the delivery by each member that is not the lead's, in their order.
    function signatures(Life memory life) internal view returns (bytes[] memory list) {
        address[] memory others = signers(life);
        list = new bytes[](others.length);
        for (uint256 i = 0; i < others.length; i++) {
            list[i] = sign(others[i], life.digest);
        }
    }

    /// @dev The provider of each member that is not the lead's, in their order.
    function signers(Life memory life) internal pure returns (address[] memory list) {
        list = new address[](life.members.length);
        uint256 count = 0;
        for (uint256 i = 0; i < life.members.length; i++) {
            if (life.members[i].provider != life.head.lead) list[count++] = life.members[i].provider;
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    // ------------------------------------------------------------------------------------------ the way of an order

    function publish(Life memory life) internal {
        IMarketplace.Consent[] memory list = consents(life);
        vm.prank(life.head.lead);
        rules.publish(life.head, life.members, list);
    }

    function publishStock(Life memory life, Life memory origin) internal {
        IMarketplace.Consent[] memory list = consents(life);
        vm.prank(life.head.lead);
        rules.publishStock(life.head, life.members, list, originOf(origin));
    }

    function originOf(Life memory origin) internal pure returns (IMarketplace.Origin memory) {
        return IMarketplace.Origin(origin.head, origin.members, origin.order, origin.delivery);
    }

    function place(Life memory life) internal {
        vm.prank(life.order.buyer);
        rules.place(life.head, life.members, life.order);
    }

    function decline(Life memory life) internal {
        vm.prank(life.head.lead);
        rules.decline(life.head, life.membersHash, life.order, IMarketplace.DeclineReason.Rules);
    }

    function deliver(Life memory life) internal {
        bytes[] memory list = signatures(life);
        vm.prank(life.head.lead);
        rules.deliver(life.head, life.members, life.order, life.delivery, list);
    }

    function accept(Life memory life) internal {
        vm.prank(life.order.buyer);
        rules.accept(life.head, life.membersHash, life.order, life.digest);
    }

    function reject(Life memory life) internal {
        vm.prank(life.order.buyer);
        rules.reject(life.head, life.membersHash, life.order, life.digest);
    }

    function reveal(Life memory life) internal {
        vm.prank(life.head.lead);
        rules.reveal(life.head, life.membersHash, life.order, life.delivery, KEY);
    }

    function contest(Life memory life) internal {
        vm.prank(life.order.buyer);
        rules.contest(life.head, life.membersHash, life.order, DOCUMENT);
    }

    function rule(Life memory life, uint16 priceBps, uint16 bondBps) internal {
        vm.prank(life.head.arbiter);
        rules.rule(life.head, life.membersHash, life.order, priceBps, bondBps);
    }

    function settle(Life memory life, address by) internal {
        vm.prank(by);
        rules.settle(life.head, life.membersHash, life.order);
    }

    function refund(Life memory life) internal {
        vm.prank(stranger);
        rules.refund(life.head, life.membersHash, life.order);
    }

    function forfeit(Life memory life) internal {
        vm.prank(stranger);
        rules.forfeit(life.head, life.membersHash, life.order);
    }

    function release(Life memory life, uint256 index) internal {
        vm.prank(life.members[index].provider);
        rules.release(life.head, life.members, life.order, index);
    }

    function withdrawPayout(Life memory life, uint256 index) internal {
        vm.prank(stranger);
        rules.withdrawPayout(life.head, life.members, index);
    }

    /// @dev Publishes the offer, stakes one bond, and brings the order to a state along the shortest way.
    function bring(Life memory life, IBooks.OrderState state) internal {
        publish(life);
        if (life.head.bond > 0) stake(life, life.head.bond);
        walk(life, state);
    }

    /// @dev The same for an order of an offer that is published and has credit.
    function walk(Life memory life, IBooks.OrderState state) internal {
        if (state == ABSENT) return;
        place(life);
        if (state == PLACED) return;
        deliver(life);
        if (state == DELIVERED) return;
        if (state == REFUNDED) return reject(life);
        accept(life);
        if (state == ACCEPTED) return;
        if (state == FORFEITED) {
            vm.warp(deadline(life) + 1);
            return forfeit(life);
        }
        reveal(life);
        if (state == REVEALED) return;
        if (state == CONTESTED) return contest(life);
        settle(life, life.order.buyer);
    }

    /// @dev An order of the usual offer in a state; of one with an arbiter where the state needs one.
    function reach(IBooks.OrderState state) internal returns (Life memory life) {
        life = state == CONTESTED ? arbitrated() : usual();
        bring(life, state);
    }

    /// @dev An order in any state but these two.
    function reachOther(uint256 seed, IBooks.OrderState one, IBooks.OrderState two) internal returns (Life memory) {
        IBooks.OrderState state = IBooks.OrderState(seed % 9);
        while (state == one || state == two) state = IBooks.OrderState((uint256(state) + 1) % 9);
        return reach(state);
    }

    // ----------------------------------------------------------------------------------------------------- looking

    function standing(Life memory life) internal view returns (IBooks.Standing memory) {
        return rules.getOrder(life.id);
    }

    function deadline(Life memory life) internal view returns (uint256) {
        return rules.getOrder(life.id).deadline;
    }

    function price(Life memory life) internal pure returns (uint256) {
        return uint256(life.head.cost) + life.head.margin;
    }

    function computeFee(Life memory life) internal pure returns (uint256) {
        return price(life) * life.head.computeFeeBps / 10_000;
    }

    function credit(address owner) internal view returns (uint256) {
        return rules.getCredit(address(euro), owner);
    }

    // ------------------------------------------------------------------------------------------------ expectations

    /// @dev The next call of a contract is refused with exactly this.
    function refused(bytes memory reason) internal {
        vm.expectRevert(reason);
    }

    function insufficient(address token, address owner, uint256 held, uint256 asked)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IMarketplace.InsufficientCredit.selector, token, owner, held, asked);
    }

    function refusedState(Life memory life, IBooks.OrderState expected) internal {
        IBooks.OrderState state = standing(life).state;
        refused(abi.encodeWithSelector(IMarketplace.WrongState.selector, life.id, state, expected));
    }

    function refusedLate(Life memory life) internal {
        refused(abi.encodeWithSelector(IMarketplace.TooLate.selector, life.id, deadline(life)));
    }

    function refusedEarly(Life memory life) internal {
        refused(abi.encodeWithSelector(IMarketplace.TooEarly.selector, life.id, deadline(life)));
    }

    function refusedLead(Life memory life, address caller) internal {
        refused(abi.encodeWithSelector(IMarketplace.NotTheLead.selector, life.head.lead, caller));
    }

    function refusedBuyer(Life memory life, address caller) internal {
        refused(abi.encodeWithSelector(IMarketplace.NotTheBuyer.selector, life.order.buyer, caller));
    }

    function refusedRange(bytes32 field, uint256 given, uint256 least, uint256 most) internal {
        refused(abi.encodeWithSelector(IMarketplace.OutOfRange.selector, field, given, least, most));
    }

    /// @dev Makes the order one of an offer that it does not name, and expects that to be refused.
    function refusedOffer(Life memory life) internal {
        bytes32 offer = life.order.offer;
        life.head.margin += 1;
        bytes32 given = digestOf(TypedDataReference.offerId(life.head, life.membersHash));
        refused(abi.encodeWithSelector(IMarketplace.WrongOffer.selector, offer, given));
    }

    function assertStands(Life memory life, IBooks.OrderState state, IBooks.Reason reason) internal view {
        IBooks.Standing memory found = standing(life);
        vm.assertEq(uint256(found.state), uint256(state), "state");
        vm.assertEq(uint256(found.reason), uint256(reason), "reason");
    }

    /// @dev Who has what: the lead's and the buyer's credit and what the offer has earned; and the contract has it all.
    function assertMoney(Life memory life, uint256 leads, uint256 buyers, uint256 accrued) internal view {
        IBooks.OfferStanding memory offer = rules.getOffer(life.order.offer);
        vm.assertEq(credit(life.head.lead), leads, "the lead's credit");
        vm.assertEq(credit(life.order.buyer), buyers, "the buyer's credit");
        vm.assertEq(offer.accrued, accrued, "accrued");
        uint256 held = offer.open * (price(life) + life.head.bond);
        if (standing(life).state == CONTESTED) held += life.head.contestDeposit;
        uint256 others = life.head.arbiter == address(0) ? 0 : credit(life.head.arbiter);
        vm.assertEq(euro.balanceOf(address(rules)), leads + buyers + others + accrued + held, "the contract's balance");
    }
}
