// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract DeliverTest is Market {
    function test_ADeliveryIsTakenDownByItsHash() external {
        Life memory life = reach(PLACED);
        vm.warp(START + 10);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderDelivered(life.id, life.digest, life.delivery);
        deliver(life);
        IBooks.Standing memory expected;
        (expected.state, expected.deadline, expected.delivery) = (DELIVERED, uint40(START + 10 + 2 days), life.digest);
        vm.assertEq(abi.encode(standing(life)), abi.encode(expected), "standing");
        assertMoney(life, 0, 0, 0);
    }

    function test_OnlyTheLeadDelivers() external {
        Life memory life = pooled();
        bring(life, PLACED);
        address member = life.members[partner(life)].provider;
        refusedLead(life, member);
        vm.prank(member);
        rules.deliver(life.head, life.members, life.order, life.delivery, new bytes[](2));
    }

    function test_TheLeadDeliversToTheLastSecondAndNotAfter() external {
        Life memory life = reach(PLACED);
        vm.warp(deadline(life) + 1);
        refusedLate(life);
        deliver(life);
        vm.warp(deadline(life));
        deliver(life);
    }

    function testFuzz_NoOtherStateCanBeDelivered(uint256 seed) external {
        Life memory life = reachOther(seed, PLACED, PLACED);
        refusedState(life, PLACED);
        deliver(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(PLACED);
        refusedOffer(life);
        deliver(life);
    }

    function test_ADeliveryHasChunks() external {
        Life memory life = reach(PLACED);
        life.delivery.count = 0;
        refusedRange("count", 0, 1, type(uint32).max);
        deliver(life);
    }

    function testFuzz_TheObjectHasOneOfTwoCodecs(uint8 codec) external {
        Life memory life = reach(PLACED);
        life.delivery.objectCodec = codec;
        if (codec != 0x55 && codec != 0x70) refusedRange("objectCodec", codec, 0x70, 0x70);
        deliver(life);
    }

    function test_RawObjectsAreTaken() external {
        Life memory life = reach(PLACED);
        life.delivery.objectCodec = 0x55;
        deliver(life);
        assertStands(life, DELIVERED, IBooks.Reason.None);
    }

    function test_StockIsDeliveredByteForByte() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        publishStock(life, origin);
        place(life);
        life.delivery.plainRoot = OTHER;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.WrongStock.selector, life.head.stock, OTHER));
        deliver(life);
        life.delivery.plainRoot = life.head.stock;
        rename(life);
        deliver(life);
        assertStands(life, DELIVERED, IBooks.Reason.None);
    }

    // ----------------------------------------------------------------------------------------------------- signatures

    function testFuzz_EveryOtherMemberSigns(uint256 count, uint256 index) external {
        Life memory life = draft(usualHead(), pool(between(count, 2, 16)));
        bring(life, PLACED);
        bytes[] memory list = signatures(life);
        index = between(index, 0, list.length - 1);
        list[index] = sign(stranger, life.digest);
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, signers(life)[index]));
        deliverWith(life, list);
    }

    function test_ASignatureOfAnotherDeliveryIsRefused() external {
        Life memory life = pooled();
        bring(life, PLACED);
        bytes[] memory list = signatures(life);
        life.delivery.manifest = OTHER;
        refusedSignatures(life, list);
    }

    function test_ASignatureOfAnotherOrdersDeliveryIsRefused() external {
        Life memory life = pooled();
        publish(life);
        stake(life, 2 * life.head.bond);
        place(life);
        bytes[] memory list = signatures(life);
        another(life, 1);
        place(life);
        refusedSignatures(life, list);
    }

    function test_ASignatureForAnotherChainIsRefused() external {
        Life memory life = pooled();
        bring(life, PLACED);
        vm.chainId(CHAIN + 1);
        Life memory there = draft(life.head, life.members);
        bytes[] memory list = signatures(there);
        vm.chainId(CHAIN);
        refusedSignatures(life, list);
    }

    function test_ASignatureThatIsMissingIsRefused() external {
        Life memory life = draft(usualHead(), pool(3));
        bring(life, PLACED);
        bytes[] memory list = new bytes[](1);
        list[0] = signatures(life)[0];
        refused(abi.encodeWithSelector(IMarketplace.SignatureMissing.selector, signers(life)[1]));
        deliverWith(life, list);
    }

    function test_AWalletSignsByItsOwnCode() external {
        address wallet = walletOf(named("owner"));
        bytes32 its = register(wallet, "dataset");
        IBooks.Member memory first = IBooks.Member(dataset, provider, 5_000, RHO);
        IBooks.Member memory second = IBooks.Member(its, wallet, 5_000, RHO);
        IBooks.Member[] memory members = new IBooks.Member[](2);
        (members[0], members[1]) = dataset < its ? (first, second) : (second, first);
        Life memory life = draft(usualHead(), members);
        bring(life, PLACED);
        bytes[] memory list = signatures(life);
        list[0] = sign(stranger, life.digest);
        refusedSignatures(life, list);
        deliver(life);
        assertStands(life, DELIVERED, IBooks.Reason.None);
    }

    function refusedSignatures(Life memory life, bytes[] memory list) private {
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, signers(life)[0]));
        deliverWith(life, list);
    }

    function deliverWith(Life memory life, bytes[] memory list) private {
        vm.prank(provider);
        rules.deliver(life.head, life.members, life.order, life.delivery, list);
    }
}
