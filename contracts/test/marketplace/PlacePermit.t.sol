// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {Market} from "../Market.sol";

import {IPermits} from "../../IPermits.sol";

/// @dev Permits where an order is placed.
contract PlacePermitTest is Market {
    function test_APermitForTheOfferIsEnough() external {
        Life memory life = published(permitted());
        place(life);
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    function test_APermitForEveryDatasetIsEnough() external {
        Life memory life = permittedPool();
        place(life);
        assertStands(life, PLACED, IBooks.Reason.None);
    }

    function test_APermitForSomeOfTheDatasetsIsRefused() external {
        Life memory life = permittedPool();
        life.order.permit = grant(life.members[0].dataset, START, START + 1 days);
        rename(life);
        bytes32 missing = life.members[1].dataset;
        refused(abi.encodeWithSelector(IPermits.NotPermitted.selector, life.order.permit, missing));
        place(life);
    }

    function test_APermitForAnotherOfferIsRefused() external {
        Life memory life = published(permitted());
        life.order.permit = grant(OTHER, START, START + 1 days);
        rename(life);
        refused(abi.encodeWithSelector(IPermits.NotPermitted.selector, life.order.permit, dataset));
        place(life);
    }

    function test_NoPermitIsRefusedUnderAnAuthority() external {
        Life memory life = published(permitted());
        life.order.permit = 0;
        rename(life);
        refused(abi.encodeWithSelector(IPermits.UnknownPermit.selector, bytes32(0)));
        place(life);
    }

    function test_APermitIsRefusedWithoutAnAuthority() external {
        Life memory life = published(usual());
        life.order.permit = OTHER;
        rename(life);
        refusedRange("permit", uint256(OTHER), 0, 0);
        place(life);
    }

    function test_APermitOfAnotherAuthorityIsRefused() external {
        Life memory life = permitted();
        life.head.authority = named("another authority");
        rename(life);
        published(life);
        refused(
            abi.encodeWithSelector(IPermits.NotTheAuthority.selector, life.order.permit, authority, life.head.authority)
        );
        place(life);
    }

    function test_APermitOfAnotherHolderIsRefused() external {
        Life memory life = published(permitted());
        life.order.buyer = stranger;
        rename(life);
        refused(abi.encodeWithSelector(IPermits.NotTheHolder.selector, life.order.permit, buyer, stranger));
        place(life);
    }

    function testFuzz_APermitForAnotherPurposeIsRefused(uint256 purposes) external {
        vm.assume(purposes != 0 && purposes >> PURPOSE & 1 == 0);
        Life memory life = permitted();
        life.head.purposes = purposes;
        rename(life);
        life.order.permit = grant(life.order.offer, START, START + 1 days);
        rename(life);
        published(life);
        refused(abi.encodeWithSelector(IPermits.WrongPurpose.selector, life.order.permit, PURPOSE, purposes));
        place(life);
    }

    function test_APermitIsLiveFromItsFirstToItsLastSecond() external {
        Life memory life = permitted();
        life.order.permit = grant(life.order.offer, START + 100, START + 200);
        rename(life);
        published(life);
        stake(life, life.head.bond);
        vm.warp(START + 99);
        refusedDead(life, 0);
        vm.warp(START + 201);
        refusedDead(life, 0);
        vm.warp(START + 100);
        place(life);
        another(life, 1);
        vm.warp(START + 200);
        place(life);
    }

    function test_ARevokedPermitIsRefusedFromThatSecondOn() external {
        Life memory life = permitted();
        life.order.permit = grant(life.order.offer, START, START + 200);
        rename(life);
        published(life);
        vm.warp(START + 100);
        revoke(life.order.permit);
        refusedDead(life, START + 100);
    }

    function refusedDead(Life memory life, uint256 revokedAt) private {
        IPermits.Permit memory permit = permits.getPermit(life.order.permit);
        bytes4 dead = IPermits.PermitNotLive.selector;
        refused(abi.encodeWithSelector(dead, life.order.permit, permit.from, permit.to, revokedAt));
        place(life);
    }

    function permittedPool() private returns (Life memory life) {
        IBooks.Head memory head = usualHead();
        (head.authority, head.purposes) = (authority, 1 << PURPOSE);
        life = draft(head, pool(3));
        bytes32[] memory subjects = new bytes32[](3);
        for (uint256 i = 0; i < 3; i++) {
            subjects[i] = life.members[i].dataset;
        }
        vm.prank(authority);
        life.order.permit = permits.grant(buyer, PURPOSE, uint40(START), uint40(START + 1 days), DOCUMENT, subjects);
        rename(life);
        published(life);
    }

    function published(Life memory life) private returns (Life memory) {
        publish(life);
        stake(life, life.head.bond);
        return life;
    }
}
