// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarketplace} from "../IMarketplace.sol";
import {Market} from "./Market.sol";

interface ITestEuro {
    function nonces(address owner) external view returns (uint256);
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}

/// @title Payments that the buyer of an order signs instead of sending.
abstract contract PaidBySignature is Market {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant RECEIVE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
        "bytes32 nonce)"
    );

    /// @dev An approval that stands already.
    function approval() internal pure returns (IMarketplace.Payment memory payment) {
        payment.means = IMarketplace.Means.Approval;
    }

    /// @dev EIP-2612, for an hour.
    function signedApproval(Life memory life, uint256 amount)
        internal
        view
        returns (IMarketplace.Payment memory payment)
    {
        payment.means = IMarketplace.Means.SignedApproval;
        payment.deadline = block.timestamp + 1 hours;
        uint256 nonce = ITestEuro(address(euro)).nonces(life.order.buyer);
        bytes memory data = abi.encode(PERMIT, life.order.buyer, address(rules), amount, nonce, payment.deadline);
        (payment.v, payment.r, payment.s) = split(life.order.buyer, inEuro(keccak256(data)));
    }

    /// @dev EIP-3009 over the price of this order, for an hour.
    function authorization(Life memory life, bytes32 nonce)
        internal
        view
        returns (IMarketplace.Payment memory payment)
    {
        payment.means = IMarketplace.Means.Authorization;
        payment.deadline = block.timestamp + 1 hours;
        bytes memory data =
            abi.encode(RECEIVE, life.order.buyer, address(rules), price(life), 0, payment.deadline, nonce);
        (payment.v, payment.r, payment.s) = split(life.order.buyer, inEuro(keccak256(data)));
    }

    function inEuro(bytes32 structHash) private view returns (bytes32) {
        bytes32 name = keccak256("Test Euro");
        bytes32 domain = keccak256(abi.encode(DOMAIN, name, keccak256("1"), block.chainid, address(euro)));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
