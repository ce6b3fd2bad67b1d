// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../../IMarketplace.sol";
import {IBooks} from "../../IBooks.sol";
import {IMoney, IReentering, Market} from "../Market.sol";

/// @dev A token that is the lead of its own offers and acts in the middle of its own transfers.
contract HostileLeadTest is Market {
    IMoney private token;

    function setUp() public override {
        super.setUp();
        token = hostile("ReenteringToken");
        acting(address(rules), abi.encodeCall(IMarketplace.register, (0, COMMITMENT, DESCRIPTION, TOTAL, EXACT_TOTAL)));
        acting(address(token), abi.encodeCall(IMoney.approve, (address(rules), type(uint256).max)));
        token.mint(address(token), 1_000_000 * EURO);
        acting(address(rules), abi.encodeCall(IMarketplace.stake, (address(token), 50 * EURO)));
    }

    function test_AnOrderThatIsDeclinedWhileItIsPaidGoesBackWhole() external {
        Life memory life = offered(address(token));
        arm(
            abi.encodeCall(
                IMarketplace.decline, (life.head, life.membersHash, life.order, IMarketplace.DeclineReason.Rules)
            )
        );
        place(life);
        assertStands(life, REFUNDED, IBooks.Reason.Declined);
        assertWhole(life);
    }

    function test_AnOrderThatIsDeliveredWhileItIsPaidIsDelivered() external {
        Life memory life = offered(address(token));
        arm(abi.encodeCall(IMarketplace.deliver, (life.head, life.members, life.order, life.delivery, new bytes[](0))));
        place(life);
        assertStands(life, DELIVERED, IBooks.Reason.None);
        reject(life);
        assertWhole(life);
    }

    /// @dev Stakes, withdrawals and further orders wait until a transfer has ended.
    function test_NoMoneyMovesWhileAnOrderIsPaid() external {
        Life memory life = offered(address(token));
        bytes[3] memory calls = [
            abi.encodeCall(IMarketplace.withdrawCredit, (address(token), 1)),
            abi.encodeCall(IMarketplace.stake, (address(token), 1)),
            abi.encodeCall(IMarketplace.withdrawPayout, (life.head, life.members, 0))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            arm(calls[i]);
            refused(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
            place(life);
        }
    }

    /// @dev Its lead may name any token. Another's money is counted apart, and nothing of it moves.
    function test_AnotherTokensMoneyIsNotTouched() external {
        Life memory honest = usual();
        bring(honest, PLACED);
        uint256 before = euro.balanceOf(address(rules));
        Life memory life = offered(address(token));
        place(life);
        acting(
            address(rules),
            abi.encodeCall(
                IMarketplace.decline, (life.head, life.membersHash, life.order, IMarketplace.DeclineReason.Rules)
            )
        );
        vm.prank(buyer);
        refused(insufficient(address(euro), buyer, 0, 1));
        rules.withdrawCredit(address(euro), 1);
        vm.assertEq(euro.balanceOf(address(rules)), before, "the other token's balance");
        assertMoney(honest, 0, 0, 0);
    }

    function offered(address lead) private returns (Life memory life) {
        IBooks.Head memory head = usualHead();
        (head.lead, head.token) = (lead, address(token));
        IBooks.Member[] memory members = usualMembers();
        (members[0].dataset, members[0].provider) = (rules.datasetId(lead, 0), lead);
        life = draft(head, members);
        acting(address(rules), abi.encodeCall(IMarketplace.publish, (head, members, new IMarketplace.Consent[](0))));
    }

    function arm(bytes memory data) private {
        IReentering(address(token)).arm(address(rules), data);
    }

    /// @dev The token calls by itself: a mint of nothing is a transfer too.
    function acting(address target, bytes memory data) private {
        IReentering(address(token)).arm(target, data);
        token.mint(stranger, 0);
    }

    function assertWhole(Life memory life) private view {
        uint256 credits = rules.getCredit(address(token), buyer) + rules.getCredit(address(token), life.head.lead);
        uint256 accrued = rules.getOffer(life.order.offer).accrued;
        vm.assertEq(token.balanceOf(address(rules)), credits + accrued, "the contract's balance");
        vm.assertEq(rules.getOffer(life.order.offer).open, 0, "open");
    }
}
