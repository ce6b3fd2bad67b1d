// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {Buying} from "./Buying.sol";
import {Offering} from "./Offering.sol";
import {Providing} from "./Providing.sol";
import {Surroundings} from "./Surroundings.sol";
import {Theorems} from "./Theorems.sol";

/// @title Everyone who plays, at one address, and how often each does something.
contract Players is Providing, Offering, Buying, Surroundings, Theorems {
    constructor() {
        setUp();
    }

    /// @dev Datasets of every provider, offers of every shape, permits, credit for bonds, and some orders.
    function setUp() public override {
        super.setUp();
        account[dataset] = rules.getDataset(dataset);
        datasets.push(dataset);
        for (uint256 i = 0; i < 5; i++) {
            newDataset(leads[i % 3], bytes32(i), i == 0 ? 1_500 : TOTAL, EXACT_TOTAL);
        }
        for (uint256 i = 0; sold.length < 10; i++) {
            offer(uint256(keccak256(abi.encode("offer", i))));
        }
        for (uint256 i = 0; i < 6; i++) {
            address token = tokens[i % 2];
            give(token, leads[i / 2], 500 * EURO);
            vm.prank(leads[i / 2]);
            rules.stake(token, 500 * EURO);
        }
        for (uint256 i = 0; i < 24; i++) {
            if (i < 12) grantFor(i, 30 days);
            else place_(i);
        }
    }

    /// @dev One move by somebody.
    function move(uint256 seed) external {
        uint256 what = mix(seed, "move") % 64;
        if (what < 26) step(choose(seed, IBooks.OrderState(1 + mix(seed, "state") % 5)), seed);
        else if (what < 34) anyStep(mix(seed, "order") % bought.length, seed, mix(seed, "what") % 14);
        else if (what < 42) place_(seed);
        else if (what < 46) placeFor_(seed);
        else if (what < 50) withdraw_(seed);
        else if (what < 52) useALicence(seed);
        else if (what < 55) authoritiesDecide(seed);
        else if (what < 60) timePasses(seed);
        else if (what < 61) tokensChange(seed);
        else if (what < 62) manageDatasets(seed);
        else manageOffers(seed);
    }

    /// @dev A step that the order may take from where it stands.
    function step(uint256 order, uint256 seed) private {
        uint256 which = mix(seed, "step") % 8;
        IBooks.OrderState state = stateOf(order);
        if (state == REVEALED && which < 4) return contest_(order, seed);
        stepOn(order, seed);
    }

    function stepOn(uint256 order, uint256 seed) internal override {
        uint256 which = mix(seed, "step") % 8;
        IBooks.OrderState state = stateOf(order);
        uint256 what = 13;
        if (state == PLACED) what = which < 6 ? 1 : which < 7 ? 0 : 8;
        if (state == DELIVERED) what = which < 6 ? 2 : which < 7 ? 3 : 8;
        if (state == ACCEPTED) what = which < 5 ? 4 : which < 6 ? 8 : 9;
        if (state == REVEALED) what = which < 6 ? 10 : 7;
        if (state == CONTESTED) what = which < 4 ? 6 : which < 6 ? 10 : 7;
        if (overdue(order, state) && which < 6) {
            what = state == PLACED || state == DELIVERED ? 8 : state == ACCEPTED ? 9 : 10;
        }
        anyStep(order, seed, what);
    }

    function anyStep(uint256 order, uint256 seed, uint256 what) private {
        address anyone = mix(seed, "buyer") % 3 == 0 ? lifeOf(order).order.buyer : one(everybody, mix(seed, "who"));
        if (what == 0) decline_(order, seed);
        if (what == 1) deliver_(order, seed);
        if (what == 2) accept_(order, seed);
        if (what == 3) reject_(order, seed);
        if (what == 4) reveal_(order, seed);
        if (what == 5) contest_(order, seed);
        if (what == 6) rule_(order, seed);
        if (what == 7) complain_(order, seed);
        if (what == 8) refund_(order, anyone);
        if (what == 9) forfeit_(order, anyone);
        if (what == 10) settle_(order, anyone);
        if (what > 10) release_(order, seed);
    }
}
