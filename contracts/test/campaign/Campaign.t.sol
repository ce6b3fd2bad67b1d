// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "../../IBooks.sol";
import {Test} from "../Test.sol";
import {Players} from "./Players.sol";

/// @title Whole lives of orders in any order, by anyone, with tokens that misbehave. Every theorem holds all the time.
contract CampaignTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    struct End {
        IBooks.OrderState state;
        IBooks.Reason reason;
    }

    Players private players;
    End[] private ends;
    string[] private calls;
    mapping(uint256 end => bool) private reached;
    mapping(string call => bool) private made;
    mapping(string call => bool) private refused;

    function setUp() external {
        players = new Players();
        ends.push(End(IBooks.OrderState.Refunded, IBooks.Reason.Declined));
        ends.push(End(IBooks.OrderState.Refunded, IBooks.Reason.NotDelivered));
        ends.push(End(IBooks.OrderState.Refunded, IBooks.Reason.Rejected));
        ends.push(End(IBooks.OrderState.Refunded, IBooks.Reason.NotAccepted));
        ends.push(End(IBooks.OrderState.Refunded, IBooks.Reason.PermitRevoked));
        ends.push(End(IBooks.OrderState.Refunded, IBooks.Reason.Ruled));
        ends.push(End(IBooks.OrderState.Settled, IBooks.Reason.Approved));
        ends.push(End(IBooks.OrderState.Settled, IBooks.Reason.Unchallenged));
        ends.push(End(IBooks.OrderState.Settled, IBooks.Reason.Ruled));
        ends.push(End(IBooks.OrderState.Settled, IBooks.Reason.NotRuled));
        ends.push(End(IBooks.OrderState.Forfeited, IBooks.Reason.NotRevealed));
        ends.push(End(IBooks.OrderState.Forfeited, IBooks.Reason.WrongByte));
        calls = ["register", "revise", "openEpoch", "publish", "publishStock", "retire", "stake", "withdrawCredit"];
        calls.push("withdrawPayout");
        calls.push("place");
        calls.push("placeFor");
        calls.push("decline");
        calls.push("deliver");
        calls.push("accept");
        calls.push("acceptFor");
        calls.push("reject");
        calls.push("reveal");
        calls.push("contest");
        calls.push("rule");
        calls.push("settle");
        calls.push("refund");
        calls.push("forfeit");
        calls.push("complain");
        calls.push("release");
        calls.push("nameUser");
        calls.push("show");
        calls.push("grant");
        calls.push("extend");
        calls.push("revoke");
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(players);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(players), new bytes4[](1));
        targets[0].selectors[0] = Players.move.selector;
    }

    function invariant_EveryTheoremHolds() external view {
        players.everythingHolds();
    }

    function afterInvariant() external {
        players.everybodyCanLeave();
    }

    /// @dev The campaign is not empty: a few thousand moves bring orders to every end, and make and refuse every call.
    function test_TheMovesReachEveryEndAndMakeAndRefuseEveryCall() external {
        for (uint256 game = 0; game < 32; game++) {
            players = new Players();
            for (uint256 i = 0; i < 200; i++) {
                players.move(uint256(keccak256(abi.encode(game, i))));
            }
            for (uint256 i = 0; i < ends.length; i++) {
                if (players.reached(ends[i].state, ends[i].reason) > 0) reached[i] = true;
            }
            for (uint256 i = 0; i < calls.length; i++) {
                if (players.made(calls[i]) > 0) made[calls[i]] = true;
                if (players.refusals(calls[i]) > 0) refused[calls[i]] = true;
            }
        }
        for (uint256 i = 0; i < ends.length; i++) {
            require(reached[i], string.concat("no order came to its end number ", vm.toString(i)));
        }
        for (uint256 i = 0; i < calls.length; i++) {
            require(made[calls[i]], string.concat("never made: ", calls[i]));
            require(refused[calls[i]], string.concat("never refused: ", calls[i]));
        }
    }
}
