// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IBooks} from "./IBooks.sol";
import {ILicences} from "./ILicences.sol";
import {IMarketplace} from "./IMarketplace.sol";

/// @title Licences
contract Licences is ILicences {
    uint256 private constant MOST_USERS = 8;
    /// @dev `locked(uint256)`. Source: ERC-5192.
    bytes4 private constant LOCKABLE = 0xb45a3c0e;

    IMarketplace private immutable market;

    mapping(bytes32 order => uint256) private userCount;
    mapping(bytes32 order => mapping(address user => uint256)) public namedAt;
    mapping(bytes32 order => Licence) private licences;
    mapping(address buyer => bytes32[]) private shown;

    constructor(IMarketplace market_) {
        market = market_;
    }

    /// @inheritdoc ILicences
    function nameUser(IBooks.Head calldata head, bytes32 membersHash, IBooks.Order calldata order, address user)
        external
    {
        require(msg.sender == order.buyer, NotTheBuyer(order.buyer, msg.sender));
        bytes32 id = identify(head, membersHash, order);
        require(isLive(id, licenceOf(head, order), block.timestamp), NotLicensed(id));
        require(user != order.buyer && namedAt[id][user] == 0, UserIsNamed(id, user));
        require(userCount[id] < MOST_USERS, TooManyUsers(id, MOST_USERS));

        userCount[id] += 1;
        namedAt[id][user] = block.timestamp;
        emit UserNamed(id, user);
    }

    /// @inheritdoc ILicences
    function show(IBooks.Head calldata head, bytes32 membersHash, IBooks.Order calldata order) external {
        bytes32 id = identify(head, membersHash, order);
        Licence memory licence = licenceOf(head, order);
        require(licences[id].buyer == address(0), AlreadyShown(id));
        require(isLive(id, licence, block.timestamp), NotLicensed(id));

        licences[id] = licence;
        shown[order.buyer].push(id);
        emit Transfer(address(0), order.buyer, uint256(id));
        emit Locked(uint256(id));
    }

    /// @inheritdoc ILicences
    function isLicensed(
        IBooks.Head calldata head,
        bytes32 membersHash,
        IBooks.Order calldata order,
        address who,
        uint256 time
    ) external view returns (bool) {
        return holds(identify(head, membersHash, order), licenceOf(head, order), who, time);
    }

    /// @inheritdoc ILicences
    function isLicensed(bytes32 order, address who, uint256 time) external view returns (bool) {
        return holds(order, licences[order], who, time);
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) external view returns (uint256 balance) {
        bytes32[] storage orders = shown[owner];
        for (uint256 i = 0; i < orders.length; i++) {
            if (isLive(orders[i], licences[orders[i]], block.timestamp)) balance++;
        }
    }

    /// @inheritdoc IERC721
    function ownerOf(uint256 tokenId) public view returns (address) {
        Licence memory licence = licences[bytes32(tokenId)];
        require(isLive(bytes32(tokenId), licence, block.timestamp), NotLicensed(bytes32(tokenId)));
        return licence.buyer;
    }

    /// @inheritdoc ILicences
    function locked(uint256 tokenId) external view returns (bool) {
        return ownerOf(tokenId) != address(0);
    }

    /// @inheritdoc IERC721
    function getApproved(uint256 tokenId) external view returns (address) {
        ownerOf(tokenId);
        return address(0);
    }

    /// @inheritdoc IERC721
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return
            interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC721).interfaceId
                || interfaceId == LOCKABLE;
    }

    // ------------------------------------------------------------------------------------- what nobody can do with it

    /// @inheritdoc IERC721
    function transferFrom(address, address, uint256) external pure {
        revert NotTransferable();
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address, address, uint256) external pure {
        revert NotTransferable();
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address, address, uint256, bytes calldata) external pure {
        revert NotTransferable();
    }

    /// @inheritdoc IERC721
    function approve(address, uint256) external pure {
        revert NotTransferable();
    }

    /// @inheritdoc IERC721
    function setApprovalForAll(address, bool) external pure {
        revert NotTransferable();
    }

    // ------------------------------------------------------------------------------------------------ shared steps

    function identify(IBooks.Head calldata head, bytes32 membersHash, IBooks.Order calldata order)
        private
        view
        returns (bytes32)
    {
        bytes32 offer = market.offerId(head, membersHash);
        require(order.offer == offer, IMarketplace.WrongOffer(order.offer, offer));
        return market.orderId(order);
    }

    function licenceOf(IBooks.Head calldata head, IBooks.Order calldata order) private pure returns (Licence memory) {
        return Licence(order.buyer, head.licenceSeconds, order.permit);
    }

    function holds(bytes32 order, Licence memory licence, address who, uint256 time) private view returns (bool) {
        uint256 named = namedAt[order][who];
        return (who == licence.buyer || named != 0 && named <= time) && isLive(order, licence, time);
    }

    /// @dev Without a buyer there is no licence: it is not shown.
    function isLive(bytes32 order, Licence memory licence, uint256 time) private view returns (bool) {
        if (licence.buyer == address(0)) return false;
        IBooks.Standing memory standing = market.getOrder(order);
        bool open = standing.state == IBooks.OrderState.Revealed || standing.state == IBooks.OrderState.Settled;
        bool inTerm = standing.revealedAt <= time && time <= standing.revealedAt + licence.licenceSeconds;
        return open && inTerm && (licence.permit == 0 || market.permits().isLive(licence.permit, time));
    }
}
