// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

interface IReentered {
    function reenter() external;
}

/// @title A token that behaves in one of many ways, and otherwise in another.
contract HostileToken {
    enum Mood {
        Honest,
        AnswersNothing,
        KeepsAFee,
        MovesMore,
        Reverts,
        SaysFalse,
        BlocksSomebody,
        ComesBackIn
    }

    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;
    Mood public mood;
    address public blocked;

    error Unwilling();

    function be(Mood mood_, address blocked_) external {
        (mood, blocked) = (mood_, blocked_);
    }

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
    }

    /// @dev True, false or nothing is answered by hand.
    function move(address from, address to, uint256 amount) private {
        require(mood != Mood.Reverts, Unwilling());
        require(mood != Mood.BlocksSomebody || from != blocked && to != blocked, Unwilling());
        if (mood == Mood.ComesBackIn && blocked.code.length > 0) IReentered(blocked).reenter();
        bool moves = mood != Mood.SaysFalse;
        if (moves) {
            balanceOf[from] -= amount;
            balanceOf[to] += mood == Mood.KeepsAFee && amount > 0 ? amount - 1 : amount;
            if (mood == Mood.MovesMore) balanceOf[to] += 1;
        }
        bool silent = mood == Mood.AnswersNothing;
        assembly ("memory-safe") {
            mstore(0, moves)
            return(0, mul(32, iszero(silent)))
        }
    }
}
