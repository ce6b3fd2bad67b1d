// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";
import {TypedDataReference} from "../TypedDataReference.sol";

contract PublishStockTest is Market {
    function test_StockNamesTheOrderThatItComesFrom() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        vm.expectEmit(address(rules));
        emit IMarketplace.OfferPublished(life.order.offer, life.head, life.members);
        vm.expectEmit(address(rules));
        emit IMarketplace.StockOffered(life.order.offer, origin.id);
        publishStock(life, origin);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function test_ADeliveryThatWasRejectedBecomesStock() external {
        publishedFrom(reach(REFUNDED));
    }

    function test_ADeliveryThatLapsedBecomesStock() external {
        Life memory origin = reach(DELIVERED);
        vm.warp(deadline(origin) + 1);
        refund(origin);
        publishedFrom(origin);
    }

    function test_ADeliveryWhoseKeyDidNotComeBecomesStock() external {
        publishedFrom(reach(FORFEITED));
    }

    function test_ADeliveryOfAnOpenOrderBecomesStock() external {
        publishedFrom(reach(DELIVERED));
    }

    function test_AnOrderThatWasNotDeliveredGivesNoStock() external {
        Life memory origin = reach(PLACED);
        refusedStock(stockOf(origin), origin);
    }

    function test_AnOrderThatWasNeverPlacedGivesNoStock() external {
        Life memory origin = usual();
        refusedStock(stockOf(origin), origin);
    }

    function test_ADeliveryThatTheOrderDoesNotStandAtGivesNoStock() external {
        Life memory origin = reach(SETTLED);
        origin.delivery.manifest = OTHER;
        refusedStock(stockOf(origin), origin);
    }

    function test_OtherMembersGiveNoStock() external {
        Life memory origin = reach(SETTLED);
        Life memory life = draft(usualHead(), pool(2));
        life.head.stock = origin.delivery.plainRoot;
        (life.members[0].rhoMicro, life.members[1].rhoMicro) = (0, 0);
        rename(life);
        refusedStock(life, origin);
    }

    function test_AnotherDatasetOfTheSameProviderGivesNoStock() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        life.members[0].dataset = register(provider, "second");
        rename(life);
        refusedStock(life, origin);
    }

    function test_AnotherKindOrDeltaGivesNoStock() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        life.head.kind = IBooks.Kind.Analysis;
        rename(life);
        refusedStock(life, origin);
        life = stockOf(origin);
        life.head.delta -= 1;
        rename(life);
        refusedStock(life, origin);
    }

    function test_AResultThatProtectsAtOneProviderIsNotSoldAsMore() external {
        Life memory origin = draft(usualHead(), pool(2));
        origin.head.unit = IBooks.PrivacyUnit.PersonAtProvider;
        rename(origin);
        bring(origin, SETTLED);
        Life memory life = stockOf(origin);
        life.head.unit = IBooks.PrivacyUnit.Person;
        rename(life);
        refusedStock(life, origin);
        publishStock(stockOf(origin), origin);
    }

    function test_AnExactResultIsNotSoldAsPrivate() external {
        Life memory origin = exact();
        bring(origin, SETTLED);
        Life memory life = stockOf(origin);
        (life.head.guarantee, life.head.delta) = (IBooks.Guarantee.DifferentiallyPrivate, 1e13);
        rename(life);
        refusedStock(life, origin);
    }

    function test_AnotherPlainRootIsRefused() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        life.head.stock = OTHER;
        rename(life);
        bytes32 root = origin.delivery.plainRoot;
        refused(abi.encodeWithSelector(IMarketplace.WrongStock.selector, OTHER, root));
        publishStock(life, origin);
    }

    function test_AnOriginOfAnotherOfferIsRefused() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        origin.head.margin += 1;
        refusedStock(life, origin);
    }

    function test_StockTakesNoRho() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        life.members[0].rhoMicro = 1;
        rename(life);
        refusedRange("rhoMicro", 1, 0, 0);
        publishStock(life, origin);
    }

    function test_TheLeadPublishesStock() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        refusedLead(life, stranger);
        vm.prank(stranger);
        rules.publishStock(life.head, life.members, consents(life), originOf(origin));
    }

    function test_EveryMemberConsentsToStock() external {
        Life memory origin = pooled();
        bring(origin, SETTLED);
        Life memory life = stockOf(origin);
        IMarketplace.Consent[] memory list = consents(life);
        list[0].signature = "";
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, life.members[partner(life)].provider));
        vm.prank(provider);
        rules.publishStock(life.head, life.members, list, originOf(origin));
        publishStock(life, origin);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function publishedFrom(Life memory origin) private {
        Life memory life = stockOf(origin);
        publishStock(life, origin);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function refusedStock(Life memory life, Life memory origin) private {
        bytes32 id = digestOf(TypedDataReference.order(origin.order));
        refused(abi.encodeWithSelector(IMarketplace.NotStock.selector, id));
        publishStock(life, origin);
    }
}
