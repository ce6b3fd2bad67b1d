// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBooks} from "./IBooks.sol";
import {IMarketplace} from "./IMarketplace.sol";
import {Limits} from "./Limits.sol";
import {Sealing} from "./Sealing.sol";

/// @title What is asked of offers and of proofs, away from the money.
/// @notice The marketplace puts some of the calls that it gets, as they are, to this contract first, which reverts with
/// an error of `IMarketplace` where the rules say no. It keeps nothing and asks nobody but the marketplace.
contract Checks {
    IMarketplace private immutable market = IMarketplace(msg.sender);

    /// @notice The numbers of head and members are within their limits.
    function publish(IBooks.Head calldata head, IBooks.Member[] calldata members, IMarketplace.Consent[] calldata)
        external
        view
    {
        require(head.stock == 0, IMarketplace.NotZero("stock"));
        Limits.checkHead(head);
        Limits.checkMembers(head, members);
    }

    /// @notice As for `publish`, and `origin` tells of an order whose delivery may be this offer's stock. Returns its
    /// id.
    function publishStock(
        IBooks.Head calldata head,
        IBooks.Member[] calldata members,
        IMarketplace.Consent[] calldata,
        IMarketplace.Origin calldata origin
    ) external view returns (bytes32 id) {
        Limits.checkHead(head);
        Limits.checkMembers(head, members);
        bytes32 plainRoot = origin.delivery.plainRoot;
        bytes32 offer = market.offerId(origin.head, market.hashMembers(origin.members));
        id = market.orderId(origin.order);
        IBooks.Standing memory standing = market.getOrder(id);
        bool delivered = origin.order.offer == offer && standing.delivery == market.deliveryHash(id, origin.delivery)
            && standing.reason != IBooks.Reason.WrongByte;
        require(delivered && areAlike(head, members, origin), IMarketplace.NotStock(id));
        require(head.stock != 0 && head.stock == plainRoot, IMarketplace.WrongStock(head.stock, plainRoot));
    }

    /// @notice The delivery commits to this chunk at this index, and its key does not open it to its hash.
    function complain(
        IBooks.Head calldata,
        bytes32,
        IBooks.Order calldata order,
        IBooks.Delivery calldata delivery,
        IMarketplace.Complaint calldata complaint
    ) external view {
        uint32 index = complaint.index;
        uint256 depth = Sealing.depthOf(delivery.count);
        Limits.within("index", index, 0, delivery.count - 1);
        Limits.within("path", complaint.path.length, depth, depth);
        Limits.within("cipher", complaint.cipher.length, Sealing.CHUNK_BYTES, Sealing.CHUNK_BYTES);
        bytes32 leaf = Sealing.hashLeaf(index, complaint.plainHash, complaint.cipher);
        bytes32 root = Sealing.rootOf(index, leaf, complaint.path);
        if (root != delivery.commitmentRoot) revert IMarketplace.ChunkNotCommitted(market.orderId(order), index);
        bytes32 plainHash = Sealing.hashPlain(complaint.key, index, complaint.cipher);
        if (plainHash == complaint.plainHash) revert IMarketplace.ChunkIsRight(market.orderId(order), index);
    }

    /// @dev Whether the offer that `origin` tells of promised the same about the same datasets.
    function areAlike(IBooks.Head calldata head, IBooks.Member[] calldata members, IMarketplace.Origin calldata origin)
        private
        pure
        returns (bool alike)
    {
        alike = origin.head.kind == head.kind && origin.head.guarantee == head.guarantee
            && origin.head.unit == head.unit && origin.head.delta == head.delta
            && origin.members.length == members.length;
        for (uint256 i = 0; alike && i < members.length; i++) {
            alike = origin.members[i].dataset == members[i].dataset;
        }
    }
}
