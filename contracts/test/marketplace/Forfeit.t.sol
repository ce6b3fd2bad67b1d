// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {IMarketplace} from "../../IMarketplace.sol";
import {Market} from "../Market.sol";

contract ForfeitTest is Market {
    function test_AKeyThatDidNotComeCostsPriceAndBond() external {
        Life memory life = reach(ACCEPTED);
        vm.warp(deadline(life) + 1);
        vm.expectEmit(address(rules));
        emit IMarketplace.OrderForfeited(life.id, IBooks.Reason.NotRevealed);
        forfeit(life);
        assertStands(life, FORFEITED, IBooks.Reason.NotRevealed);
        vm.assertEq(deadline(life), 0, "deadline");
        assertMoney(life, 0, price(life) + life.head.bond, 0);
    }

    function test_NothingIsForfeitedBeforeTheDeadline() external {
        Life memory life = reach(ACCEPTED);
        vm.warp(deadline(life));
        refusedEarly(life);
        forfeit(life);
    }

    function test_TheBondIsNotLostWhereThePermitWasRevoked() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        vm.warp(deadline(life));
        revoke(life.order.permit);
        vm.warp(deadline(life) + 1);
        refused(abi.encodeWithSelector(IMarketplace.PermitWasRevoked.selector, life.id, life.order.permit));
        forfeit(life);
    }

    function test_ALateRevocationSavesNothing() external {
        Life memory life = permitted();
        bring(life, ACCEPTED);
        vm.warp(deadline(life) + 1);
        revoke(life.order.permit);
        forfeit(life);
        assertStands(life, FORFEITED, IBooks.Reason.NotRevealed);
    }

    function test_APermitThatLivesSavesNothing() external {
        Life memory life = permitted();
        bring(life, FORFEITED);
        assertMoney(life, 0, price(life) + life.head.bond, 0);
    }

    function testFuzz_NoOtherStateCanBeForfeited(uint256 seed) external {
        Life memory life = reachOther(seed, ACCEPTED, ACCEPTED);
        vm.warp(START + 3650 days);
        refusedState(life, ACCEPTED);
        forfeit(life);
    }

    function test_AnOrderOfAnotherOfferIsRefused() external {
        Life memory life = reach(ACCEPTED);
        vm.warp(deadline(life) + 1);
        refusedOffer(life);
        forfeit(life);
    }
}
