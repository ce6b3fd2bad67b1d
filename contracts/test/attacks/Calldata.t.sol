// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IBooks} from "../../IBooks.sol";
import {Market} from "../Market.sol";

/// @dev Calls that no encoder makes: bits that a field does not have, arguments elsewhere, calls cut short.
contract CalldataTest is Market {
    uint256 private constant SELECTOR = 4;
    uint256 private constant HEAD_WORDS = 24;
    uint256 private constant ORDER_WORDS = 6;

    /// @dev For each word of a head, how many bits its field has; for the three enums, enough for their members.
    uint16[24] private headBits =
        [160, 2, 1, 160, 128, 128, 64, 32, 32, 32, 32, 32, 64, 16, 128, 128, 32, 256, 256, 160, 160, 256, 1, 64];

    function test_NoOfferHasBitsThatItsFieldsDoNotHave() external {
        Life memory life = usual();
        bytes memory data = publishing(life);
        for (uint256 word = 0; word < HEAD_WORDS; word++) {
            refusedWithBits(provider, data, SELECTOR + 32 * word, headBits[word]);
        }
        accepted(provider, data);
    }

    function test_NoKindGuaranteeOrUnitLiesBeyondTheNamedOnes() external {
        bytes memory data = publishing(usual());
        data[SELECTOR + 32 * 2 - 1] = bytes1(uint8(3));
        refusedCall(provider, data);
        data[SELECTOR + 32 * 2 - 1] = bytes1(uint8(0));
        data[SELECTOR + 32 * 3 - 1] = bytes1(uint8(2));
        refusedCall(provider, data);
        data[SELECTOR + 32 * 3 - 1] = bytes1(uint8(0));
        data[SELECTOR + 32 * 23 - 1] = bytes1(uint8(2));
        refusedCall(provider, data);
    }

    function test_NoMemberHasBitsThatItsFieldsDoNotHave() external {
        bytes memory data = publishing(usual());
        uint256 first = SELECTOR + 32 * (HEAD_WORDS + 3);
        refusedWithBits(provider, data, first + 32, 160);
        refusedWithBits(provider, data, first + 64, 16);
        refusedWithBits(provider, data, first + 96, 64);
        accepted(provider, data);
    }

    function test_NoOrderHasBitsThatItsFieldsDoNotHave() external {
        Life memory life = reach(ABSENT);
        bytes memory data = abi.encodeCall(IMarketplace.place, (life.head, life.members, life.order));
        uint256 first = SELECTOR + 32 * (HEAD_WORDS + 1);
        refusedWithBits(buyer, data, first + 32, 160);
        refusedWithBits(buyer, data, first + 32 * 5, 64);
        accepted(buyer, data);
    }

    function test_NoDeliveryHasBitsThatItsFieldsDoNotHave() external {
        Life memory life = reach(PLACED);
        bytes memory data =
            abi.encodeCall(IMarketplace.deliver, (life.head, life.members, life.order, life.delivery, new bytes[](0)));
        uint256 first = SELECTOR + 32 * (HEAD_WORDS + 1 + ORDER_WORDS);
        refusedWithBits(provider, data, first + 32 * 5, 32);
        refusedWithBits(provider, data, first + 32 * 6, 8);
        accepted(provider, data);
    }

    /// @dev Whoever decodes the same call elsewhere sees the same members: those that the call points to.
    function test_TheMembersThatAreCheckedAreThoseThatArePublished() external {
        Life memory life = usual();
        IBooks.Member[] memory wrong = usualMembers();
        wrong[0].shareBps = 9_999;
        bytes memory head = abi.encode(life.head);
        bytes memory consents_ = abi.encode(uint256(0));
        uint256 tail = 32 * (HEAD_WORDS + 2);
        uint256 size = list(wrong).length;
        bytes memory lists = bytes.concat(list(wrong), list(life.members), consents_);
        bytes4 selector = IMarketplace.publish.selector;
        bytes memory bad = bytes.concat(selector, head, abi.encode(tail, tail + 2 * size), lists);
        bytes memory good = bytes.concat(selector, head, abi.encode(tail + size, tail + 2 * size), lists);
        vm.prank(provider);
        refused(abi.encodeWithSelector(IMarketplace.SharesNotWhole.selector, 9_999));
        (bool reverted,) = address(rules).call(bad);
        vm.assertTrue(reverted, "expected a refusal");
        accepted(provider, good);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function test_ArgumentsMayStandAnywhereInACall() external {
        Life memory life = reach(ABSENT);
        uint256 tail = 32 * (HEAD_WORDS + 1 + ORDER_WORDS);
        bytes memory gap = new bytes(96);
        bytes memory data = bytes.concat(
            IMarketplace.place.selector,
            abi.encode(life.head),
            abi.encode(tail + gap.length),
            abi.encode(life.order),
            gap,
            list(life.members)
        );
        accepted(buyer, data);
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    /// @dev Members that lie in the order's own words: nothing is read there but those words.
    function testFuzz_AnArgumentThatPointsElsewhereIsAboutNothing(uint256 offset) external {
        Life memory life = reach(ABSENT);
        uint256 tail = 32 * (HEAD_WORDS + 1 + ORDER_WORDS);
        offset = between(offset, 0, tail + 4 * 32);
        if (offset == tail) offset++;
        bytes memory data = bytes.concat(
            IMarketplace.place.selector,
            abi.encode(life.head),
            abi.encode(offset),
            abi.encode(life.order),
            list(life.members)
        );
        refusedCall(buyer, data);
    }

    function test_ACallThatEndsTooEarlyIsRefused() external {
        Life memory life = reach(REVEALED);
        bytes memory whole = abi.encodeCall(IMarketplace.settle, (life.head, life.membersHash, life.order));
        for (uint256 length = SELECTOR; length < whole.length; length += length < whole.length - 40 ? 31 : 1) {
            refusedCall(buyer, cut(whole, length));
        }
        accepted(buyer, whole);
    }

    function test_WhatFollowsACallChangesNothing() external {
        Life memory life = reach(REVEALED);
        bytes memory whole = abi.encodeCall(IMarketplace.settle, (life.head, life.membersHash, life.order));
        accepted(buyer, bytes.concat(whole, abi.encode(life.head, life.order)));
        assertStands(life, SETTLED, IBooks.Reason.Approved);
    }

    /// @dev With too little gas for a question that it puts to another contract, a call is refused, never let through.
    function testFuzz_NoAmountOfGasLetsAWrongOfferThrough(uint256 gas_) external {
        Life memory life = usual();
        life.members[0].shareBps = 9_999;
        bytes memory data = publishing(life);
        vm.prank(provider);
        (bool success,) = address(rules).call{gas: between(gas_, 1_000, 400_000)}(data);
        vm.assertFalse(success, "published");
    }

    function publishing(Life memory life) private pure returns (bytes memory) {
        return abi.encodeCall(IMarketplace.publish, (life.head, life.members, new IMarketplace.Consent[](0)));
    }

    /// @dev An array as it stands in a call, from its length on.
    function list(IBooks.Member[] memory members) private pure returns (bytes memory) {
        bytes memory data = abi.encode(members);
        bytes memory tail = new bytes(data.length - 32);
        for (uint256 i = 0; i < tail.length; i++) {
            tail[i] = data[i + 32];
        }
        return tail;
    }

    function cut(bytes memory data, uint256 length) private pure returns (bytes memory head) {
        head = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            head[i] = data[i];
        }
    }

    /// @dev Turns, one after the other, the lowest and the highest bit of a word that a field of `width` bits does not have.
    function refusedWithBits(address by, bytes memory data, uint256 word, uint256 width) private {
        if (width == 256) return;
        turn(data, word, width);
        refusedCall(by, data);
        turn(data, word, width);
        turn(data, word, 255);
        refusedCall(by, data);
        turn(data, word, 255);
    }

    function turn(bytes memory data, uint256 word, uint256 bit) private pure {
        data[word + 31 - bit / 8] ^= bytes1(uint8(1 << bit % 8));
    }

    function refusedCall(address by, bytes memory data) private {
        vm.prank(by);
        (bool success,) = address(rules).call(data);
        vm.assertFalse(success, "expected a refusal");
    }

    function accepted(address by, bytes memory data) private {
        vm.prank(by);
        (bool success,) = address(rules).call(data);
        vm.assertTrue(success, "expected to be accepted");
    }
}
