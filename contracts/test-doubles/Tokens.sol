// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that anyone can make.
contract PlainToken is ERC20("Token", "T") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}

/// @title Keeps a hundredth of whatever moves.
contract FeeToken is PlainToken {
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0) && to != address(0)) {
            super._update(from, address(0), value / 100);
            value -= value / 100;
        }
        super._update(from, to, value);
    }
}

/// @title Moves more than it was asked to.
contract GenerousToken is PlainToken {
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0)) _mint(to, 1);
        super._update(from, to, value);
    }
}

/// @title Says false and moves nothing.
contract FalseToken is PlainToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @title Refuses to pay one account.
contract BlockingToken is PlainToken {
    address private blocked;

    error Blocked(address account);

    function block_(address account) external {
        blocked = account;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(to != blocked, Blocked(to));
        super._update(from, to, value);
    }
}

/// @title Answers nothing, as some of the oldest tokens do.
contract SilentToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) private allowances;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowances[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowances[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title Calls somebody in the middle of each transfer, once, and fails if that fails.
contract ReenteringToken is PlainToken {
    address private target;
    bytes private data;

    function arm(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    /// @dev Takes any signature, and approves.
    function permit(address owner, address spender, uint256 value, uint256, uint8, bytes32, bytes32) external {
        strike();
        _approve(owner, spender, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        strike();
    }

    function strike() private {
        if (target == address(0)) return;
        address callee = target;
        target = address(0);
        (bool success, bytes memory answer) = callee.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}

/// @title Takes any signature for a transfer, and keeps one unit of it.
contract SkimmingToken is PlainToken {
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _transfer(from, to, value - 1);
    }
}
