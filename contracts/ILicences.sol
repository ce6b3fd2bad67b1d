// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IBooks} from "./IBooks.sol";

/// @title The licences that orders give, derived from the marketplace and never in an order's path.
/// @notice A licence is live while its order is Revealed, or Settled with a share for the providers, from the reveal to
/// the end of its term, and as long as the order's permit is live. It is suspended while the order is Contested and
/// void otherwise. It belongs to the order's buyer and to those whom the buyer names beside it.
///
/// For wallets a licence can be shown as a token that nobody can transfer (ERC-721 with ERC-5192); its number is the
/// order's id.
///
/// Warning: a token that ends with its licence leaves no event. `ownerOf`, `balanceOf` and `isLicensed` answer for now.
interface ILicences is IERC721 {
    /// @notice What is kept of a licence that is shown.
    struct Licence {
        address buyer;
        uint64 licenceSeconds;
        bytes32 permit;
    }

    event UserNamed(bytes32 indexed order, address indexed user);
    event Locked(uint256 tokenId);

    error NotTheBuyer(address buyer, address caller);
    error NotLicensed(bytes32 order);
    error UserIsNamed(bytes32 order, address user);
    error TooManyUsers(bytes32 order, uint256 most);
    error AlreadyShown(bytes32 order);
    error NotTransferable();

    /// @notice The buyer names a further user of its order's licence, once and for all; at most eight, from the reveal
    /// on.
    function nameUser(IBooks.Head calldata head, bytes32 membersHash, IBooks.Order calldata order, address user)
        external;

    /// @notice Whether `who` holds the licence of `order` at `time`, as far as is known now.
    function isLicensed(
        IBooks.Head calldata head,
        bytes32 membersHash,
        IBooks.Order calldata order,
        address who,
        uint256 time
    ) external view returns (bool);

    /// @notice The same, for a licence that is shown.
    function isLicensed(bytes32 order, address who, uint256 time) external view returns (bool);

    /// @notice Shows the live licence of an order as a token of its buyer's. Anyone may call.
    function show(IBooks.Head calldata head, bytes32 membersHash, IBooks.Order calldata order) external;

    /// @notice True for every live token. Reverts for another. Source: ERC-5192.
    function locked(uint256 tokenId) external view returns (bool);

    /// @notice When `user` was named for the licence of `order`; zero if it was not.
    function namedAt(bytes32 order, address user) external view returns (uint256);
}
