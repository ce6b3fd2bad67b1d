// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IBooks} from "../../IBooks.sol";
import {PaidBySignature} from "../PaidBySignature.sol";

/// @dev Accounts in places that are not meant for them.
contract RolesTest is PaidBySignature {
    function test_ALeadThatBuysFromItselfGainsNothing() external {
        Life memory life = usual();
        life.order.buyer = provider;
        rename(life);
        bring(life, ABSENT);
        uint256 before = euro.balanceOf(provider);
        walk(life, SETTLED);
        withdrawPayout(life, 0);
        vm.assertEq(euro.balanceOf(provider), before, "the price came back");
        vm.assertEq(credit(provider), life.head.bond, "the bond came back");
        vm.assertEq(euro.balanceOf(address(rules)), life.head.bond, "the contract's balance");
    }

    function test_NobodySignsForAContractOfTheMarketplace() external {
        address[6] memory accounts =
            [address(rules), address(permits), address(registry), address(licences), address(euro), address(0)];
        for (uint256 i = 0; i < accounts.length; i++) {
            refusedBuyerOf(accounts[i]);
        }
    }

    /// @dev What the EVM computes at these addresses answers any question, but never with what a wallet answers.
    function test_NobodySignsForAPrecompile() external {
        Life memory life = usual();
        bring(life, ABSENT);
        for (uint160 account = 1; account <= 17; account++) {
            life.order.buyer = address(account);
            rename(life);
            (bool success,) = address(rules).call{gas: 1_000_000}(placing(life));
            vm.assertFalse(success, "placed");
        }
    }

    function test_TheMarketplaceAndItsContractsAreNoMoney() external {
        address[4] memory tokens = [address(rules), address(permits), address(registry), address(licences)];
        for (uint256 i = 0; i < tokens.length; i++) {
            vm.prank(provider);
            (bool success,) = address(rules).call(abi.encodeCall(IMarketplace.stake, (tokens[i], 1)));
            vm.assertFalse(success, "staked");
            Life memory life = usual();
            (life.head.token, life.head.bond) = (tokens[i], 0);
            rename(life);
            publish(life);
            vm.prank(buyer);
            (success,) = address(rules).call(abi.encodeCall(IMarketplace.place, (life.head, life.members, life.order)));
            vm.assertFalse(success, "placed");
        }
    }

    /// @dev An authority may buy like anyone. If it revokes its own permit to keep the price, the compute fee is gone, and
    /// the provider keeps its bond.
    function test_AnAuthorityThatBuysAndRevokesPaysTheComputeFee() external {
        Life memory life = permitted();
        life.order.buyer = authority;
        fund(euro, authority);
        bytes32[] memory subjects = new bytes32[](1);
        subjects[0] = dataset;
        vm.prank(authority);
        life.order.permit =
            permits.grant(authority, PURPOSE, uint40(START), uint40(START + 30 days), DOCUMENT, subjects);
        rename(life);
        bring(life, ACCEPTED);
        revoke(life.order.permit);
        refused(
            abi.encodeWithSignature(
                "PermitNotLive(bytes32,uint40,uint40,uint40)",
                life.order.permit,
                START,
                START + 30 days,
                block.timestamp
            )
        );
        reveal(life);
        refund(life);
        vm.assertEq(credit(authority), price(life) - computeFee(life), "the buyer's credit");
        vm.assertEq(credit(provider), life.head.bond, "the bond is free");
    }

    /// @dev A wallet's code is asked read-only: whatever it does there leaves no trace.
    function test_AWalletCannotActWhileItIsAsked() external {
        ActingWallet wallet = new ActingWallet(rules);
        Life memory life = usual();
        life.order.buyer = address(wallet);
        life.head.authority = authority;
        life.head.purposes = 1 << PURPOSE;
        (life.head.cost, life.head.margin) = (0, 0);
        rename(life);
        publish(life);
        stake(life, life.head.bond);
        vm.prank(stranger);
        (bool success,) = address(rules).call(placing(life));
        vm.assertFalse(success, "placed");
        vm.assertEq(rules.getDataset(rules.datasetId(address(wallet), 0)).provider, address(0), "registered");
        vm.assertTrue(wallet.isValidSignature(0, "") == bytes4(0x1626ba7e), "outside of a question it can act");
    }

    /// @dev Two wallets of one owner take the same signatures. An order names its buyer, so one wallet's is not the other's.
    function test_AnOwnersSignatureForOneWalletIsNotForItsOther() external {
        address owner = named("owner");
        (address first, address second) = (walletOf(owner), walletOf(owner));
        fund(euro, first);
        fund(euro, second);
        Life memory life = usual();
        life.order.buyer = first;
        rename(life);
        bring(life, ABSENT);
        bytes memory signature = sign(first, life.id);
        life.order.buyer = second;
        refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, second));
        rules.placeFor(life.head, life.members, life.order, signature, approval());
        life.order.buyer = first;
        rules.placeFor(life.head, life.members, life.order, signature, approval());
        vm.assertEq(rules.getOffer(life.order.offer).open, 1, "open");
    }

    /// @dev Tokens that somebody sends without being asked are nobody's, and disturb no order.
    function test_TokensThatNobodyAskedForChangeNothing() external {
        euro.mint(address(rules), 7);
        Life memory life = usual();
        bring(life, PLACED);
        euro.mint(address(rules), 11);
        deliver(life);
        accept(life);
        reveal(life);
        settle(life, buyer);
        withdrawPayout(life, 0);
        vm.assertEq(euro.balanceOf(address(rules)), life.head.bond + 18, "the contract's balance");
    }

    function refusedBuyerOf(address account) private {
        Life memory life = usual();
        life.order.buyer = account;
        life.order.specification = keccak256(abi.encode(account));
        rename(life);
        if (!rules.getOffer(life.order.offer).published) publish(life);
        for (uint256 i = 0; i < 3; i++) {
            bytes memory signature = i == 0 ? bytes("") : i == 1 ? sign(stranger, life.id) : new bytes(65);
            refused(abi.encodeWithSelector(IMarketplace.WrongSignature.selector, account));
            rules.placeFor(life.head, life.members, life.order, signature, approval());
        }
    }

    function placing(Life memory life) private pure returns (bytes memory) {
        return abi.encodeCall(IMarketplace.placeFor, (life.head, life.members, life.order, "", approval()));
    }
}

/// @dev Registers a dataset when it is asked for its signature, and says yes if it could.
contract ActingWallet {
    IMarketplace private immutable rules;

    constructor(IMarketplace rules_) {
        rules = rules_;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        rules.register(0, bytes32(uint256(1)), bytes32(uint256(2)), 1, 0);
        return 0x1626ba7e;
    }
}
