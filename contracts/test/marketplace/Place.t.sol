// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {IMoney, IReentering, Market} from "../Market.sol";

contract PlaceTest is Market {
    function test_PlacingTakesThePriceTheBondAndTheRho() external {
        Life memory life = published(usual());
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderPlaced(
            life.id, life.order.offer, buyer, life.order.specification, 1, 0, life.order.placeBy
        );
        vm.prank(buyer);
        vm.assertEq(rules.place(life.head, life.members, life.order), life.id, "id");
        IBooks.Standing memory expected;
        (expected.state, expected.deadline) = (PLACED, uint40(START + 1 days));
        vm.assertEq(abi.encode(standing(life)), abi.encode(expected), "standing");
        vm.assertEq(euro.balanceOf(buyer), 1_000_000 * EURO - price(life), "the buyer's balance");
        vm.assertEq(rules.getOffer(life.order.offer).open, 1, "open");
        vm.assertEq(rules.getDataset(dataset).used, RHO, "used");
        assertMoney(life, 0, 0, 0);
    }

    function test_OnlyTheBuyerPlacesItsOrder() external {
        Life memory life = published(usual());
        refusedBuyer(life, stranger);
        vm.prank(stranger);
        rules.place(life.head, life.members, life.order);
    }

    function test_AnOrderIsPlacedOnce() external {
        Life memory life = reach(SETTLED);
        stake(life, life.head.bond);
        refused(abi.encodeWithSelector(IMarketplace.OrderExists.selector, life.id));
        place(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = published(usual());
        refusedOffer(life);
        place(life);
    }

    function test_OtherMembersThanTheOffersAreRefused() external {
        Life memory life = published(usual());
        bytes32 offer = life.order.offer;
        life.members[0].rhoMicro -= 1;
        bytes32 given = rules.offerId(life.head, rules.hashMembers(life.members));
        refused(abi.encodeWithSelector(IMarketplace.WrongOffer.selector, offer, given));
        place(life);
    }

    function test_AnOfferThatIsNotPublishedIsRefused() external {
        Life memory life = usual();
        stake(life, life.head.bond);
        refused(abi.encodeWithSelector(IMarketplace.UnknownOffer.selector, life.order.offer));
        place(life);
    }

    function test_ARetiredOfferIsRefused() external {
        Life memory life = published(usual());
        vm.prank(provider);
        rules.retire(life.head, life.members, 0);
        refused(abi.encodeWithSelector(IMarketplace.OfferIsRetired.selector, life.order.offer));
        place(life);
    }

    function test_AnOfferIsValidToItsLastSecond() external {
        Life memory life = usual();
        life.head.validUntil = uint64(START + 1 hours);
        rename(life);
        published(life);
        vm.warp(START + 1 hours + 1);
        uint64 last = life.head.validUntil;
        refused(abi.encodeWithSelector(IMarketplace.OfferExpired.selector, life.order.offer, last));
        place(life);
        vm.warp(last);
        place(life);
    }

    function test_AnOrderIsPlacedByItsLastSecond() external {
        Life memory life = published(usual());
        vm.warp(uint256(life.order.placeBy) + 1);
        refused(abi.encodeWithSelector(IMarketplace.PlacedTooLate.selector, life.id, life.order.placeBy));
        place(life);
        vm.warp(life.order.placeBy);
        place(life);
    }

    function test_NoMoreOrdersAreOpenThanTheOfferAllows() external {
        Life memory life = usual();
        life.head.maxOpen = 2;
        rename(life);
        published(life);
        stake(life, 2 * life.head.bond);
        place(life);
        another(life, 1);
        place(life);
        bytes32 second = life.id;
        another(life, 2);
        refused(abi.encodeWithSelector(IMarketplace.TooManyOpen.selector, life.order.offer, 2));
        place(life);
        another(life, 1);
        vm.assertEq(life.id, second, "id");
        decline(life);
        another(life, 2);
        place(life);
    }

    function test_TheArbiterDoesNotBuy() external {
        Life memory life = arbitrated();
        life.order.buyer = arbiter;
        rename(life);
        published(life);
        refused(abi.encodeWithSelector(IMarketplace.RoleConflict.selector, bytes32("arbiter"), arbiter));
        place(life);
    }

    // --------------------------------------------------------------------------------------------------------- budget

    function testFuzz_EveryMemberGivesItsOwnRho(uint256 count, uint256 seed) external {
        IBooks.Member[] memory members = pool(between(count, 1, 16));
        for (uint256 i = 0; i < members.length; i++) {
            members[i].rhoMicro = uint64(between(uint256(keccak256(abi.encode(seed, i))), 1, TOTAL));
        }
        Life memory life = published(draft(usualHead(), members));
        place(life);
        for (uint256 i = 0; i < members.length; i++) {
            vm.assertEq(rules.getDataset(members[i].dataset).used, members[i].rhoMicro, "used");
        }
    }

    function test_TheWholeBudgetCanBeUsedAndNoMore() external {
        Life memory life = usual();
        life.members[0].rhoMicro = TOTAL - 1;
        rename(life);
        published(life);
        stake(life, 2 * life.head.bond);
        place(life);
        another(life, 1);
        refused(abi.encodeWithSelector(IMarketplace.BudgetExceeded.selector, dataset, 1, TOTAL - 1));
        place(life);
        life = usual();
        life.members[0].rhoMicro = 1;
        rename(life);
        published(life);
        place(life);
        vm.assertEq(rules.getDataset(dataset).used, TOTAL, "used");
    }

    function test_ADatasetThatHasNotEnoughStopsTheWholePool() external {
        Life memory life = pooled();
        life.members[1].rhoMicro = TOTAL + 1;
        rename(life);
        published(life);
        bytes32 its = life.members[1].dataset;
        refused(abi.encodeWithSelector(IMarketplace.BudgetExceeded.selector, its, TOTAL, TOTAL + 1));
        place(life);
        vm.assertEq(rules.getDataset(life.members[0].dataset).used, 0, "used");
    }

    function test_AnExactOrderTakesOneOfTheAllowance() external {
        Life memory life = published(exact());
        place(life);
        IBooks.Dataset memory expected = IBooks.Dataset(provider, TOTAL, 0, EXACT_TOTAL, 1, 1, 1);
        vm.assertEq(abi.encode(rules.getDataset(dataset)), abi.encode(expected), "dataset");
    }

    function test_TheAllowanceIsNotExceeded() external {
        Life memory life = published(exact());
        stake(life, EXACT_TOTAL * life.head.bond);
        for (uint256 number = 0; number < EXACT_TOTAL; number++) {
            another(life, number);
            place(life);
            decline(life);
        }
        another(life, EXACT_TOTAL);
        refused(abi.encodeWithSelector(IMarketplace.AllowanceExceeded.selector, dataset, EXACT_TOTAL));
        place(life);
    }

    function test_StockTakesNothing() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        publishStock(life, origin);
        place(life);
        vm.assertEq(rules.getDataset(dataset).used, RHO, "used");
    }

    function test_AnOrderOfExactStockTakesNothing() external {
        Life memory origin = exact();
        bring(origin, SETTLED);
        Life memory life = stockOf(origin);
        life.order.permit = grant(life.order.offer, START, START + 1 days);
        rename(life);
        publishStock(life, origin);
        place(life);
        vm.assertEq(rules.getDataset(dataset).exactUsed, 1, "used");
    }

    // ------------------------------------------------------------------------------------------------------- versions

    function test_TheVersionThatTheBuyerNamedIsTheOneThatThereIs() external {
        Life memory life = published(usual());
        life.order.versions = 2;
        rename(life);
        refused(abi.encodeWithSelector(IMarketplace.WrongVersion.selector, dataset, 1, 2));
        place(life);
        vm.prank(provider);
        rules.revise(dataset, OTHER, OTHER);
        place(life);
    }

    function testFuzz_EveryMembersVersionIsLookedAt(uint256 count, uint256 index) external {
        Life memory life = published(draft(usualHead(), pool(between(count, 1, 16))));
        index = between(index, 0, life.members.length - 1);
        bytes32 its = life.members[index].dataset;
        vm.prank(life.members[index].provider);
        rules.revise(its, OTHER, OTHER);
        refused(abi.encodeWithSelector(IMarketplace.WrongVersion.selector, its, 2, 1));
        place(life);
        life.order.versions += uint256(1) << 16 * index;
        rename(life);
        place(life);
    }

    function test_BitsBeyondTheMembersVersionsAreRefused() external {
        Life memory life = published(usual());
        life.order.versions |= 1 << 16;
        rename(life);
        refusedRange("versions", life.order.versions, 0, type(uint16).max);
        place(life);
    }

    function test_AnOrderOfStockNamesNoVersions() external {
        Life memory origin = reach(SETTLED);
        Life memory life = stockOf(origin);
        publishStock(life, origin);
        life.order.versions = 1;
        rename(life);
        refusedRange("versions", 1, 0, 0);
        place(life);
    }

    // ---------------------------------------------------------------------------------------------------------- money

    function test_ABondThatIsNotThereIsRefused() external {
        Life memory life = usual();
        publish(life);
        stake(life, life.head.bond - 1);
        refused(insufficient(address(euro), provider, life.head.bond - 1, life.head.bond));
        place(life);
    }

    function test_AnOfferWithoutABondNeedsNone() external {
        Life memory life = usual();
        life.head.bond = 0;
        rename(life);
        publish(life);
        place(life);
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    function test_APriceThatWasNotApprovedIsRefused() external {
        Life memory life = published(usual());
        vm.prank(buyer);
        euro.approve(address(rules), price(life) - 1);
        bytes memory reason = abi.encodeWithSignature(
            "ERC20InsufficientAllowance(address,uint256,uint256)", address(rules), price(life) - 1, price(life)
        );
        refused(reason);
        place(life);
    }

    function test_ATokenThatKeepsAFeeIsRefused() external {
        IMoney token = hostile("FeeToken");
        Life memory life = usual();
        (life.head.token, life.head.bond) = (address(token), 0);
        rename(life);
        publish(life);
        uint256 arrives = price(life) - price(life) / 100;
        refused(abi.encodeWithSelector(IMarketplace.InexactTransfer.selector, token, price(life), arrives));
        place(life);
    }

    function test_ATokenThatSaysFalseIsRefused() external {
        IMoney token = hostile("FalseToken");
        Life memory life = usual();
        (life.head.token, life.head.bond) = (address(token), 0);
        rename(life);
        publish(life);
        refused(abi.encodeWithSignature("SafeERC20FailedOperation(address)", token));
        place(life);
    }

    function test_ATokenThatComesBackInIsRefused() external {
        IMoney token = hostile("ReenteringToken");
        Life memory life = usual();
        (life.head.token, life.head.bond) = (address(token), 0);
        rename(life);
        publish(life);
        bytes memory call = abi.encodeCall(IMarketplace.place, (life.head, life.members, life.order));
        IReentering(address(token)).arm(address(rules), call);
        refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        place(life);
    }

    function test_AFreeOrderTakesNoPrice() external {
        Life memory life = permitted();
        (life.head.cost, life.head.margin) = (0, 0);
        rename(life);
        life.order.permit = grant(life.order.offer, START, START + 1 days);
        rename(life);
        published(life);
        place(life);
        vm.assertEq(euro.balanceOf(buyer), 1_000_000 * EURO, "the buyer's balance");
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    function published(Life memory life) private returns (Life memory) {
        publish(life);
        stake(life, life.head.bond);
        return life;
    }
}
