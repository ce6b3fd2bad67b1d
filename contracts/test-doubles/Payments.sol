// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A token that takes approvals by signature (EIP-2612) and no transfers (EIP-3009).
contract ApprovalToken is ERC20Permit {
    constructor() ERC20("Approvals", "A") ERC20Permit("Approvals") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}

/// @title Tells the domain of another token for its own, so that what is signed for it pays with the other.
contract MimicToken {
    function name() external pure returns (string memory) {
        return "Test Euro";
    }

    function DOMAIN_SEPARATOR() external pure returns (bytes32) {
        return keccak256("another token's domain");
    }

    function nonces(address) external pure returns (uint256) {
        return 0;
    }

    function authorizationState(address, bytes32) external pure returns (bool) {
        return false;
    }

    function allowance(address, address) external pure returns (uint256) {
        return 0;
    }
}

/// @title Answers whatever it is asked with nothing, as wrapped ether does.
contract SwallowingToken {
    fallback() external payable {}
}
