// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IBooks} from "../../IBooks.sol";
import {Market} from "../Market.sol";
import {TypedDataReference} from "../TypedDataReference.sol";

/// @dev Ids, against EIP-712 written plainly.
contract NamesTest is Market {
    function testFuzz_AnOfferIsNamedByItsTypedData(uint256 seed, uint256 count) external view {
        IBooks.Head memory head = randomHead(seed);
        IBooks.Member[] memory members = randomMembers(seed, between(count, 0, 17));
        bytes32 membersHash = TypedDataReference.members(members);
        vm.assertEq(rules.hashMembers(members), membersHash, "members");
        bytes32 expected = digestOf(TypedDataReference.offerId(head, membersHash));
        vm.assertEq(rules.offerId(head, membersHash), expected, "offer");
    }

    function testFuzz_AnOrderIsNamedByItsTypedData(
        bytes32 offer,
        address who,
        bytes32 specification,
        uint256 versions,
        bytes32 permit,
        uint64 placeBy
    ) external view {
        IBooks.Order memory order = IBooks.Order(offer, who, specification, versions, permit, placeBy);
        vm.assertEq(rules.orderId(order), digestOf(TypedDataReference.order(order)), "order");
    }

    function testFuzz_ADeliveryIsNamedByItsTypedData(bytes32 order, uint256 seed) external view {
        IBooks.Delivery memory delivery = IBooks.Delivery({
            commitmentRoot: part(seed, 0),
            plainRoot: part(seed, 1),
            keyHash: part(seed, 2),
            object: part(seed, 3),
            manifest: part(seed, 4),
            count: uint32(seed),
            objectCodec: uint8(seed >> 32)
        });
        bytes32 expected = digestOf(TypedDataReference.delivery(order, delivery));
        vm.assertEq(rules.deliveryHash(order, delivery), expected, "delivery");
    }

    function test_TheDomainIsTold() external view {
        (bytes1 fields, string memory name_, string memory version, uint256 chain, address contract_,,) =
            rules.eip712Domain();
        vm.assertEq(uint8(fields), 0x0f, "fields");
        vm.assertEq(keccak256(bytes(name_)), keccak256("Agora Health"), "name");
        vm.assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        vm.assertEq(chain, CHAIN, "chain");
        vm.assertEq(contract_, address(rules), "contract");
    }

    function test_NamesAreOfOneChain() external {
        Life memory life = usual();
        bytes32 here = rules.offerId(life.head, life.membersHash);
        vm.chainId(CHAIN + 1);
        bytes32 there = rules.offerId(life.head, life.membersHash);
        vm.assertNotEq(here, there, "offer");
        vm.assertEq(there, draft(life.head, life.members).order.offer, "offer there");
    }

    /// @dev The names that a call's own words give, which are hashed as they came.
    function testFuzz_ACallNamesItsOfferAndItsOrderAlike(uint256 seed, bytes32 membersHash) external {
        IBooks.Head memory head = randomHead(seed);
        IBooks.Order memory order;
        (order.buyer, order.specification, order.versions) = (buyer, part(seed, 300), uint256(part(seed, 301)));
        bytes32 offer = digestOf(TypedDataReference.offerId(head, membersHash));
        refused(abi.encodeWithSelector(IMarketplace.WrongOffer.selector, 0, offer));
        rules.settle(head, membersHash, order);
        order.offer = offer;
        bytes32 id = digestOf(TypedDataReference.order(order));
        refused(abi.encodeWithSelector(IMarketplace.WrongState.selector, id, ABSENT, REVEALED));
        rules.settle(head, membersHash, order);
    }

    function testFuzz_ACallWithMembersNamesItsOfferAlike(uint256 seed, uint256 count) external {
        IBooks.Head memory head = randomHead(seed);
        IBooks.Member[] memory members = randomMembers(seed, between(count, 0, 17));
        bytes32 offer = digestOf(TypedDataReference.offerId(head, TypedDataReference.members(members)));
        refused(abi.encodeWithSelector(IMarketplace.UnknownOffer.selector, offer));
        rules.retire(head, members, 0);
    }

    function testFuzz_ACallNamesItsDeliveryAlike(uint256 seed) external {
        Life memory life = reach(ACCEPTED);
        bytes32 recorded = life.digest;
        life.delivery.commitmentRoot = part(seed, 0);
        life.delivery.plainRoot = part(seed, 1);
        life.delivery.object = part(seed, 2);
        life.delivery.count = uint32(seed);
        life.delivery.objectCodec = uint8(seed >> 32);
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.WrongDelivery.selector, life.id, recorded, life.digest));
        reveal(life);
    }

    /// @dev Bits that no field has count too: a call with any bit of its own turned is about nothing that there is.
    function testFuzz_EveryBitOfACallCounts(uint256 bit) external {
        Life memory life = reach(REVEALED);
        bytes memory data = abi.encodeCall(IMarketplace.settle, (life.head, life.membersHash, life.order));
        bit = between(bit, 32, data.length * 8 - 1);
        data[bit / 8] ^= bytes1(uint8(1 << bit % 8));
        vm.prank(buyer);
        (bool success,) = address(rules).call(data);
        vm.assertFalse(success, "settled");
    }

    function randomHead(uint256 seed) private pure returns (IBooks.Head memory head) {
        head.lead = address(bytes20(part(seed, 0)));
        head.kind = IBooks.Kind(uint256(part(seed, 1)) % 3);
        head.guarantee = IBooks.Guarantee(uint256(part(seed, 2)) % 2);
        head.unit = IBooks.PrivacyUnit(uint256(part(seed, 23)) % 2);
        head.token = address(bytes20(part(seed, 3)));
        head.cost = uint128(uint256(part(seed, 4)));
        head.margin = uint128(uint256(part(seed, 5)));
        head.delta = uint64(uint256(part(seed, 6)));
        head.deliverWindow = uint32(uint256(part(seed, 7)));
        head.acceptWindow = uint32(uint256(part(seed, 8)));
        head.revealWindow = uint32(uint256(part(seed, 9)));
        head.challengeWindow = uint32(uint256(part(seed, 10)));
        head.ruleWindow = uint32(uint256(part(seed, 11)));
        head.licenceSeconds = uint64(uint256(part(seed, 12)));
        head.computeFeeBps = uint16(uint256(part(seed, 13)));
        head.bond = uint128(uint256(part(seed, 14)));
        head.contestDeposit = uint128(uint256(part(seed, 15)));
        head.maxOpen = uint32(uint256(part(seed, 16)));
        head.terms = part(seed, 17);
        head.purposes = uint256(part(seed, 18));
        head.authority = address(bytes20(part(seed, 19)));
        head.arbiter = address(bytes20(part(seed, 20)));
        head.stock = part(seed, 21);
        head.validUntil = uint64(uint256(part(seed, 22)));
    }

    function randomMembers(uint256 seed, uint256 count) private pure returns (IBooks.Member[] memory members) {
        members = new IBooks.Member[](count);
        for (uint256 i = 0; i < count; i++) {
            bytes32 word = part(seed, 100 + i);
            members[i] = IBooks.Member(part(seed, 200 + i), address(bytes20(word)), uint16(uint256(word)), uint64(seed));
        }
    }

    function part(uint256 seed, uint256 number) private pure returns (bytes32) {
        return keccak256(abi.encode(seed, number));
    }
}
