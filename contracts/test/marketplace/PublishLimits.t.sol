// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

/// @dev Each number of a head at both of its ends and one beyond.
contract PublishLimitsTest is Market {
    uint256 private constant YEAR = 365 days;

    function test_ATokenWithoutCodeIsRefused() external {
        IBooks.Head memory head = usualHead();
        head.token = stranger;
        refused(abi.encodeWithSelector(IMarketplace.TokenWithoutCode.selector, stranger));
        tryHead(head);
    }

    function test_ThePriceIsAboveZeroAndFitsNinetySixBits() external {
        IBooks.Head memory head = usualHead();
        (head.cost, head.margin) = (0, 0);
        refusedRange("price", 0, 1, type(uint96).max);
        tryHead(head);
        head.margin = 1;
        tryHead(head);
        head.cost = type(uint96).max;
        refusedRange("price", uint256(1) << 96, 1, type(uint96).max);
        tryHead(head);
        head.margin = 0;
        tryHead(head);
        (head.cost, head.margin) = (type(uint128).max, type(uint128).max);
        refusedRange("price", 2 * uint256(type(uint128).max), 1, type(uint96).max);
        tryHead(head);
    }

    function test_ThePriceMayBeZeroUnderAnAuthority() external {
        IBooks.Head memory head = permitted().head;
        (head.cost, head.margin) = (0, 0);
        tryHead(head);
        vm.assertTrue(isPublished(head), "published");
    }

    function test_DeltaIsAboveZeroAndAtMostOneInAHundredThousand() external {
        IBooks.Head memory head = usualHead();
        head.delta = 0;
        refusedRange("delta", 0, 1, 1e13);
        tryHead(head);
        head.delta = 1;
        tryHead(head);
        head.delta = 1e13 + 1;
        refusedRange("delta", 1e13 + 1, 1, 1e13);
        tryHead(head);
    }

    function test_OnlyAPoolWithNoiseMayProtectAPersonAtOneProviderAlone() external {
        IBooks.Head memory head = usualHead();
        head.unit = IBooks.PrivacyUnit.PersonAtProvider;
        refusedRange("unit", 1, 0, 0);
        tryHead(head);
        Life memory life = draft(head, pool(2));
        publish(life);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
        head = exact().head;
        head.unit = IBooks.PrivacyUnit.PersonAtProvider;
        life = draft(head, life.members);
        (life.members[0].rhoMicro, life.members[1].rhoMicro) = (0, 0);
        rename(life);
        refusedRange("unit", 1, 0, 0);
        publish(life);
    }

    function test_AnExactOfferHasNoDelta() external {
        IBooks.Head memory head = exact().head;
        head.delta = 1;
        refusedRange("delta", 1, 0, 0);
        publishExact(head);
    }

    function test_AnExactOfferHasAnAuthority() external {
        IBooks.Head memory head = exact().head;
        head.authority = address(0);
        refusedRange("authority", 0, 1, 1);
        publishExact(head);
        (head.authority, head.purposes) = (authority, 1);
        publishExact(head);
    }

    function test_PurposesGoWithAnAuthority() external {
        IBooks.Head memory head = usualHead();
        head.purposes = 1;
        refusedRange("purposes", 1, 0, 0);
        tryHead(head);
        (head.authority, head.purposes) = (authority, 0);
        refusedRange("purposes", 0, 1, type(uint256).max);
        tryHead(head);
        head.purposes = type(uint256).max;
        tryHead(head);
        vm.assertTrue(isPublished(head), "published");
    }

    function test_TheDeliverWindowIsAMinuteToAYear() external {
        IBooks.Head memory head = usualHead();
        head.deliverWindow = 59;
        refusedRange("deliverWindow", 59, 60, YEAR);
        tryHead(head);
        head.deliverWindow = 60;
        tryHead(head);
        head.deliverWindow = 365 days;
        tryHead(head);
        head.deliverWindow = 365 days + 1;
        refusedRange("deliverWindow", YEAR + 1, 60, YEAR);
        tryHead(head);
    }

    function test_TheAcceptWindowIsAMinuteToAYear() external {
        IBooks.Head memory head = usualHead();
        head.acceptWindow = 59;
        refusedRange("acceptWindow", 59, 60, YEAR);
        tryHead(head);
        head.acceptWindow = 60;
        tryHead(head);
        head.acceptWindow = 365 days;
        tryHead(head);
        head.acceptWindow = 365 days + 1;
        refusedRange("acceptWindow", YEAR + 1, 60, YEAR);
        tryHead(head);
    }

    function test_TheRevealWindowIsAnHourToAYear() external {
        IBooks.Head memory head = usualHead();
        head.revealWindow = 3_599;
        refusedRange("revealWindow", 3_599, 3_600, YEAR);
        tryHead(head);
        head.revealWindow = 3_600;
        tryHead(head);
        head.revealWindow = 365 days;
        tryHead(head);
        head.revealWindow = 365 days + 1;
        refusedRange("revealWindow", YEAR + 1, 3_600, YEAR);
        tryHead(head);
    }

    function test_TheChallengeWindowIsAnHourToAYear() external {
        IBooks.Head memory head = usualHead();
        head.challengeWindow = 3_599;
        refusedRange("challengeWindow", 3_599, 3_600, YEAR);
        tryHead(head);
        head.challengeWindow = 3_600;
        tryHead(head);
        head.challengeWindow = 365 days;
        tryHead(head);
        head.challengeWindow = 365 days + 1;
        refusedRange("challengeWindow", YEAR + 1, 3_600, YEAR);
        tryHead(head);
    }

    function test_TheRuleWindowGoesWithAnArbiter() external {
        IBooks.Head memory head = usualHead();
        head.ruleWindow = 3_600;
        refusedRange("ruleWindow", 3_600, 0, 0);
        tryHead(head);
        (head.arbiter, head.ruleWindow) = (arbiter, 3_599);
        refusedRange("ruleWindow", 3_599, 3_600, YEAR);
        tryHead(head);
        head.ruleWindow = 3_600;
        tryHead(head);
        head.ruleWindow = 365 days;
        tryHead(head);
        head.ruleWindow = 365 days + 1;
        refusedRange("ruleWindow", YEAR + 1, 3_600, YEAR);
        tryHead(head);
    }

    function test_TheDepositGoesWithAnArbiterAndFitsNinetySixBits() external {
        IBooks.Head memory head = usualHead();
        head.contestDeposit = 1;
        refusedRange("contestDeposit", 1, 0, 0);
        tryHead(head);
        (head.arbiter, head.ruleWindow) = (arbiter, 3_600);
        tryHead(head);
        head.contestDeposit = uint128(type(uint96).max) + 1;
        refusedRange("contestDeposit", uint256(1) << 96, 0, type(uint96).max);
        tryHead(head);
        head.contestDeposit = 0;
        tryHead(head);
        vm.assertTrue(isPublished(head), "published");
    }

    function test_TheLicenceLastsASecondToTenYears() external {
        IBooks.Head memory head = usualHead();
        head.licenceSeconds = 0;
        refusedRange("licenceSeconds", 0, 1, 10 * YEAR);
        tryHead(head);
        head.licenceSeconds = 1;
        tryHead(head);
        head.licenceSeconds = uint64(10 * YEAR);
        tryHead(head);
        head.licenceSeconds = uint64(10 * YEAR + 1);
        refusedRange("licenceSeconds", 10 * YEAR + 1, 1, 10 * YEAR);
        tryHead(head);
    }

    function test_TheComputeFeeIsAtMostATenth() external {
        IBooks.Head memory head = usualHead();
        head.computeFeeBps = 0;
        tryHead(head);
        head.computeFeeBps = 1_000;
        tryHead(head);
        head.computeFeeBps = 1_001;
        refusedRange("computeFeeBps", 1_001, 0, 1_000);
        tryHead(head);
    }

    function test_OneOrderMayBeOpenAtLeast() external {
        IBooks.Head memory head = usualHead();
        head.maxOpen = 0;
        refusedRange("maxOpen", 0, 1, type(uint32).max);
        tryHead(head);
        head.maxOpen = 1;
        tryHead(head);
        vm.assertTrue(isPublished(head), "published");
    }

    function test_AnOfferThatIsOverIsRefused() external {
        IBooks.Head memory head = usualHead();
        head.validUntil = uint64(START - 1);
        refusedRange("validUntil", START - 1, START, type(uint64).max);
        tryHead(head);
        head.validUntil = uint64(START);
        tryHead(head);
        vm.assertTrue(isPublished(head), "published");
    }

    function tryHead(IBooks.Head memory head) private {
        vm.prank(provider);
        rules.publish(head, usualMembers(), new IMarketplace.Consent[](1));
    }

    function publishExact(IBooks.Head memory head) private {
        IBooks.Member[] memory members = usualMembers();
        members[0].rhoMicro = 0;
        vm.prank(provider);
        rules.publish(head, members, new IMarketplace.Consent[](1));
    }

    function isPublished(IBooks.Head memory head) private view returns (bool) {
        return rules.getOffer(draft(head, usualMembers()).order.offer).published;
    }
}
