// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract PublishConsentTest is Market {
    function test_AConsentServesToItsLastSecond() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        vm.warp(list[0].until);
        publishWith(life, list);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function test_AnExpiredConsentIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        uint64 until = list[0].until;
        vm.warp(until + 1);
        bytes32 its = life.members[partner(life)].dataset;
        refused(abi.encodeWithSelector(IMarketplace.ConsentExpired.selector, its, until));
        publishWith(life, list);
    }

    function test_ALongerConsentThanTheSignedOneIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        list[0].until += 1;
        refusedSignature(life, list);
    }

    function test_AConsentOfSomebodyElseIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        list[0] = consent(life, stranger, list[0].until);
        refusedSignature(life, list);
    }

    function test_AConsentToOtherTermsIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        life.head.margin += 1;
        refusedSignature(life, list);
    }

    function test_AConsentToOtherMembersIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        (life.members[0].shareBps, life.members[1].shareBps) = (4_000, 6_000);
        refusedSignature(life, list);
    }

    function test_AConsentForAnotherChainIsRefused() external {
        Life memory life = pooled();
        vm.chainId(CHAIN + 1);
        IMarketplace.Consent[] memory list = consents(life);
        vm.chainId(CHAIN);
        refusedSignature(life, list);
    }

    function test_AConsentForAnotherContractIsRefused() external {
        Life memory life = pooled();
        IMarketplace here = rules;
        rules = IMarketplace(stranger);
        IMarketplace.Consent[] memory list = consents(life);
        rules = here;
        refusedSignature(life, list);
    }

    function test_AnEmptySignatureIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        list[0].signature = "";
        refusedSignature(life, list);
    }

    function test_ASignatureInItsOtherFormIsRefused() external {
        Life memory life = pooled();
        IMarketplace.Consent[] memory list = consents(life);
        list[0].signature = mirrored(list[0].signature);
        refusedSignature(life, list);
    }

    function test_EveryOtherMemberHasItsConsent() external {
        Life memory life = pooled();
        address missing = life.members[partner(life)].provider;
        refused(abi.encodeWithSelector(IMarketplace.SignatureMissing.selector, missing));
        publishWith(life, new IMarketplace.Consent[](0));
    }

    function testFuzz_ConsentsStandInTheOrderOfTheMembers(uint256 first, uint256 second) external {
        Life memory life = draft(usualHead(), pool(5));
        IMarketplace.Consent[] memory list = consents(life);
        (first, second) = (between(first, 0, 3), between(second, 0, 3));
        vm.assume(first < second);
        (list[first], list[second]) = (list[second], list[first]);
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, signers(life)[first]));
        publishWith(life, list);
    }

    function test_AWalletConsentsByItsOwnCode() external {
        Life memory life = pooledWithWallet();
        publish(life);
        vm.assertTrue(rules.getOffer(life.order.offer).published, "published");
    }

    function test_AWalletThatSaysNoIsRefused() external {
        Life memory life = pooledWithWallet();
        IMarketplace.Consent[] memory list = consents(life);
        list[0] = consent(life, stranger, list[0].until);
        refusedSignature(life, list);
    }

    /// @dev A pool of two, of which the one that does not lead is a contract.
    function pooledWithWallet() private returns (Life memory life) {
        address wallet = walletOf(named("owner"));
        bytes32 its = register(wallet, "dataset");
        IBooks.Member memory first = IBooks.Member(dataset, provider, 5_000, RHO);
        IBooks.Member memory second = IBooks.Member(its, wallet, 5_000, RHO);
        IBooks.Member[] memory members = new IBooks.Member[](2);
        (members[0], members[1]) = dataset < its ? (first, second) : (second, first);
        return draft(usualHead(), members);
    }

    function publishWith(Life memory life, IMarketplace.Consent[] memory list) private {
        vm.prank(life.head.lead);
        rules.publish(life.head, life.members, list);
    }

    function refusedSignature(Life memory life, IMarketplace.Consent[] memory list) private {
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, life.members[partner(life)].provider));
        publishWith(life, list);
    }
}
