// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract PublishTest is Market {
    function test_AnOfferIsNamedAndTold() external {
        Life memory life = usual();
        vm.expectEmit(address(rules));
        emit IMarketplace.OfferPublished(life.order.offer, life.head, life.members);
        vm.prank(provider);
        bytes32 offer = rules.publish(life.head, life.members, new IMarketplace.Consent[](1));
        vm.assertEq(offer, life.order.offer, "id");
        IBooks.OfferStanding memory expected = IBooks.OfferStanding(true, false, 0, 0);
        vm.assertEq(abi.encode(rules.getOffer(offer)), abi.encode(expected), "offer");
    }

    function test_TheLeadPublishes() external {
        Life memory life = usual();
        refusedLead(life, stranger);
        vm.prank(stranger);
        rules.publish(life.head, life.members, new IMarketplace.Consent[](1));
    }

    function test_AnOfferIsPublishedOnce() external {
        Life memory life = usual();
        publish(life);
        refused(abi.encodeWithSelector(IMarketplace.OfferExists.selector, life.order.offer));
        publish(life);
    }

    function test_ARetiredOfferIsNotPublishedAgain() external {
        Life memory life = usual();
        publish(life);
        vm.prank(provider);
        rules.retire(life.head, life.members, 0);
        refused(abi.encodeWithSelector(IMarketplace.OfferExists.selector, life.order.offer));
        publish(life);
    }

    function test_StockIsNotPublishedAsNew() external {
        Life memory life = usual();
        life.head.stock = OTHER;
        life.members[0].rhoMicro = 0;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.NotZero.selector, bytes32("stock")));
        publish(life);
    }

    // ------------------------------------------------------------------------------------------------------- members

    function testFuzz_OneToSixteenMembersMakeAnOffer(uint256 count) external {
        Life memory life = draft(usualHead(), pool(between(count, 1, 16)));
        publish(life);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function test_AnOfferWithoutMembersIsRefused() external {
        Life memory life = draft(usualHead(), new IBooks.Member[](0));
        refusedRange("members", 0, 1, 16);
        publish(life);
    }

    function test_ASeventeenthMemberIsRefused() external {
        Life memory life = draft(usualHead(), pool(17));
        refusedRange("members", 17, 1, 16);
        publish(life);
    }

    function test_OneDatasetTwiceIsRefused() external {
        IBooks.Member[] memory members = pool(2);
        members[1] = members[0];
        Life memory life = draft(usualHead(), members);
        bytes32 twice = members[0].dataset;
        refused(abi.encodeWithSelector(IMarketplace.MembersNotSorted.selector, twice, twice));
        publish(life);
    }

    function test_MembersInAnotherOrderAreRefused() external {
        IBooks.Member[] memory members = pool(2);
        (members[0], members[1]) = (members[1], members[0]);
        Life memory life = draft(usualHead(), members);
        bytes32 before = members[0].dataset;
        refused(abi.encodeWithSelector(IMarketplace.MembersNotSorted.selector, before, members[1].dataset));
        publish(life);
    }

    function test_OneProviderMayBringTwoDatasets() external {
        IBooks.Member[] memory members = new IBooks.Member[](2);
        bytes32 second = register(provider, "second");
        (bytes32 low, bytes32 high) = dataset < second ? (dataset, second) : (second, dataset);
        members[0] = IBooks.Member(low, provider, 4_000, RHO);
        members[1] = IBooks.Member(high, provider, 6_000, RHO);
        bring(draft(usualHead(), members), SETTLED);
    }

    function testFuzz_SharesThatAreNotWholeAreRefused(uint256 seed, uint16 share) external {
        Life memory life = draft(usualHead(), pool(between(seed, 1, 16)));
        uint256 index = seed % life.members.length;
        vm.assume(share != life.members[index].shareBps);
        uint256 sum = uint256(10_000) - life.members[index].shareBps + share;
        life.members[index].shareBps = share;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.SharesNotWhole.selector, sum));
        publish(life);
    }

    function test_TheLeadIsOneOfTheProviders() external {
        Life memory life = usual();
        life.head.lead = stranger;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.LeadIsNotAMember.selector, stranger));
        publish(life);
    }

    function test_AnArbiterThatIsAMemberIsRefused() external {
        Life memory life = arbitrated();
        life.head.arbiter = provider;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.RoleConflict.selector, bytes32("arbiter"), provider));
        publish(life);
    }

    function test_AnAuthorityThatIsAMemberIsRefused() external {
        Life memory life = permitted();
        life.head.authority = provider;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.RoleConflict.selector, bytes32("authority"), provider));
        publish(life);
    }

    function test_AnUnknownDatasetIsRefused() external {
        Life memory life = usual();
        life.members[0].dataset = OTHER;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.UnknownDataset.selector, OTHER));
        publish(life);
    }

    function test_ADatasetOfSomebodyElseIsRefused() external {
        Life memory life = usual();
        life.members[0].dataset = register(stranger, "theirs");
        rename(life);
        bytes32 theirs = life.members[0].dataset;
        refused(abi.encodeWithSelector(IMarketplace.NotTheProvider.selector, theirs, provider));
        publish(life);
    }

    function test_AMemberGivesSomeRho() external {
        Life memory life = usual();
        life.members[0].rhoMicro = 0;
        rename(life);
        refusedRange("rhoMicro", 0, 1, type(uint64).max);
        publish(life);
    }

    function test_AnExactOfferTakesNoRho() external {
        Life memory life = exact();
        life.members[0].rhoMicro = 1;
        rename(life);
        refusedRange("rhoMicro", 1, 0, 0);
        publish(life);
    }
}
