// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

/// @title A euro for tests, with six decimals.
/// @notice An ERC-20 that takes payments by signature: permits (EIP-2612) and transfers with authorization (EIP-3009).
///
/// Warning: this is play money. Anyone can make any amount of it, so it is worth nothing and must stand in for a real
/// euro only where nothing of value is sold.
contract TestEuro is ERC20Permit, ERC3009 {
    constructor() ERC20("Test Euro", "EURT") ERC20Permit("Test Euro") {}

    /// @notice Makes `amount` units of a millionth of a euro for `account`. Anyone may call.
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    /// @notice One euro is a million units.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
