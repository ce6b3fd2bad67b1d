// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

import {IPermits} from "../../IPermits.sol";

contract RevealTest is Market {
    function test_TheKeyIsToldAndTheChallengeWindowOpens() external {
        Life memory life = reach(ACCEPTED);
        vm.warp(START + 10);
        uint40 last = uint40(START + 10 + 3 days);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderRevealed(life.id, KEY);
        reveal(life);
        IBooks.Standing memory expected;
        (expected.state, expected.deadline, expected.delivery) = (REVEALED, last, life.digest);
        expected.revealedAt = uint40(START + 10);
        vm.assertEq(abi.encode(standing(life)), abi.encode(expected), "standing");
        assertMoney(life, 0, 0, 0);
    }

    function test_OnlyTheLeadReveals() external {
        Life memory life = pooled();
        bring(life, ACCEPTED);
        address member = life.members[partner(life)].provider;
        refusedLead(life, member);
        vm.prank(member);
        rules.reveal(life.head, life.membersHash, life.order, life.delivery, KEY);
    }

    function test_AnotherKeyIsRefused() external {
        Life memory life = reach(ACCEPTED);
        refused(abi.encodeWithSelector(IMarketplace.WrongKey.selector, life.id, life.delivery.keyHash));
        vm.prank(provider);
        rules.reveal(life.head, life.membersHash, life.order, life.delivery, OTHER);
    }

    function testFuzz_AnotherDeliveryIsRefused(uint256 seed) external {
        Life memory life = reach(ACCEPTED);
        bytes32 recorded = life.digest;
        if (seed % 7 == 0) life.delivery.commitmentRoot = OTHER;
        if (seed % 7 == 1) life.delivery.plainRoot = OTHER;
        if (seed % 7 == 2) life.delivery.keyHash = OTHER;
        if (seed % 7 == 3) life.delivery.object = OTHER;
        if (seed % 7 == 4) life.delivery.manifest = OTHER;
        if (seed % 7 == 5) life.delivery.count += 1;
        if (seed % 7 == 6) life.delivery.objectCodec = 0x55;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.WrongDelivery.selector, life.id, recorded, life.digest));
        reveal(life);
    }

    function test_TheLeadRevealsToTheLastSecondAndNotAfter() external {
        Life memory life = reach(ACCEPTED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        reveal(life);
        vm.warp(deadline(life));
        reveal(life);
    }

    function testFuzz_NoOtherStateCanBeRevealed(uint256 seed) external {
        Life memory life = reachOther(seed, ACCEPTED, ACCEPTED);
        refusedState(life, ACCEPTED);
        reveal(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(ACCEPTED);
        refusedOffer(life);
        reveal(life);
    }

    function test_AKeyThatIsKnownHelpsNobodyToMoney() external {
        Life memory life = reach(REVEALED);
        assertMoney(life, 0, 0, 0);
        refusedLead(life, stranger);
        vm.prank(stranger);
        rules.reveal(life.head, life.membersHash, life.order, life.delivery, KEY);
        refusedBuyer(life, stranger);
        vm.prank(stranger);
        rules.complain(life.head, life.membersHash, life.order, life.delivery, withKey());
        refusedEarly(life);
        settle(life, stranger);
        refused(insufficient(address(euro), stranger, 0, 1));
        vm.prank(stranger);
        rules.withdrawCredit(address(euro), 1);
        refused(abi.encodeWithSelector(IMarketplace.NothingToWithdraw.selector));
        withdrawPayout(life, 0);
    }

    function test_ALivePermitLetsTheKeyOut() external {
        Life memory life = permitted();
        bring(life, REVEALED);
        assertStands(life, REVEALED, IBooks.Reason.None);
    }

    function test_ARevokedPermitKeepsTheKey() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        revoke(life.order.permit);
        bytes memory reason =
            abi.encodeWithSelector(IPermits.PermitNotLive.selector, life.order.permit, START, START + 365 days, START);
        refused(reason);
        reveal(life);
    }

    function test_APermitThatEndsWithTheRevealWindowLetsTheKeyOutAtItsLastSecond() external {
        Life memory life = permitted();
        life.order.permit = grant(life.order.offer, START, START + 6 hours);
        rename(life);
        bring(life, ACCEPTED);
        vm.warp(START + 6 hours);
        reveal(life);
        assertStands(life, REVEALED, IBooks.Reason.None);
    }

    function withKey() private pure returns (IMarketplace.Complaint memory complaint) {
        complaint.key = KEY;
    }
}
