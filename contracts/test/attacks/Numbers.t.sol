// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {Market} from "../Market.sol";

/// @dev A licence that is shown answers by its number what it answers by its order, whatever becomes of the order.
contract NumbersTest is Market {
    function testFuzz_ALicenceAnswersByNumberAsByOrder(uint256 fate, uint256 time, bool permitted_) external {
        Life memory life = permitted_ ? permitted() : arbitrated();
        bring(life, REVEALED);
        licences.show(life.head, life.membersHash, life.order);
        vm.prank(buyer);
        licences.nameUser(life.head, life.membersHash, life.order, stranger);
        uint256 revealed = block.timestamp;
        vm.warp(revealed + 10);
        meet(life, fate % 4, permitted_);
        time = between(time, revealed - 1, revealed + life.head.licenceSeconds + 1);
        address[4] memory accounts = [buyer, stranger, provider, address(0)];
        for (uint256 i = 0; i < accounts.length; i++) {
            bool byOrder = licences.isLicensed(life.head, life.membersHash, life.order, accounts[i], time);
            vm.assertTrue(licences.isLicensed(life.id, accounts[i], time) == byOrder, "by number");
            if (i > 1) vm.assertFalse(byOrder, "somebody else");
        }
        vm.warp(time);
        bool now_ = licences.isLicensed(life.id, buyer, time);
        vm.assertEq(licences.balanceOf(buyer), now_ ? 1 : 0, "balance");
        (bool owned,) = address(licences).call(abi.encodeCall(licences.ownerOf, (uint256(life.id))));
        vm.assertTrue(owned == now_, "owner");
    }

    /// @dev Nothing; settled; contested or its permit revoked; refunded by the arbiter or its permit revoked after settling.
    function meet(Life memory life, uint256 fate, bool permitted_) private {
        if (fate == 1 || (fate == 3 && permitted_)) settle(life, buyer);
        if (fate >= 2 && permitted_) revoke(life.order.permit);
        if (fate >= 2 && !permitted_) contest(life);
        if (fate == 3 && !permitted_) rule(life, 0, 10_000);
    }
}
