"""The verb `chunks`: the keys of a few chunks for the order's buyer, before it accepts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.certificate.agreement import committed_at, made_for
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, MarketplaceError, Refused, Unreachable
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.ids import chunks_hash, delivery_hash
from marketplace.ledger.ledger import Ledger
from marketplace.protocol import result
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.chunks import ChunkKeys, ChunkRequest, SignedChunkRequest
from marketplace.protocol.draw import stock_seed
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.schema import Schema
from marketplace.sealing import chunk_key
from node.commission import Commission, read_commission
from node.delivery import decode_delivery
from node.endpoint.disclosure import Sealed, objection_to_chunks, objection_to_order
from node.endpoint.opened import note_opened, opened_chunks
from node.journal import Journal, Mark
from node.pool.joint import is_joint, read_joint
from node.sale import read_secrets


@dataclass
class Chunks:
    """Opens chunks of the orders that `provider` leads. Safe to use by several threads at once where `ledger` is.

    `account`: the account as the node last read it; None before it has. `folder_of`: the folder of an order. `clock`
    gives seconds. `note` is told what goes wrong inside the node, which nobody else learns.
    """

    provider: Address
    account: Callable[[], Account | None]
    ledger: Ledger
    store: ContentStore
    journal: Journal
    box: SecretBox = field(repr=False)
    folder_of: Callable[[OrderId], Path]
    clock: Callable[[], float]
    note: Callable[[str], None]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, body: bytes) -> bytes:
        """The keys that the signed request in `body` asks for.

        Which chunks they are is in the journal, durably, before this returns. Nothing but the account that the node has
        read, and the buyer's wallet where that is a contract, is asked before the signature is known to be the buyer's.
        Raises `Invalid` for what is no request, `Refused` where the chunks stay closed, `Unreachable` and `Corrupt` for
        trouble in the node, without details.
        """
        signed = SignedChunkRequest.decode(body)
        request = signed.request
        account = self.account()
        if account is None:
            raise Unreachable("expected a node that has read the ledger, it has only begun; try again soon")
        order = self._order(account, request.order)
        if not self._signed(request, signed.signature, order.order.buyer):
            raise Refused("expected the signature of the order's buyer for this very request; sign with its account")
        return ChunkKeys(request.order, self._open(request, account, order)).encode()

    def _signed(self, request: ChunkRequest, signature: bytes, buyer: Address) -> bool:
        """Whether the buyer's key signed, or its wallet on the ledger takes the signature for its own."""
        with self._untold():
            return self.ledger.signed_by(buyer, chunks_hash(request), signature)

    def _order(self, account: Account, order: OrderId) -> OrderView:
        view = account.orders.get(order)
        if view is None or account.offers[view.order.offer].offer.head.lead != self.provider:
            raise Refused("expected the id of an order of this provider, got another; check the id and the ledger")
        return view

    def _open(self, request: ChunkRequest, account: Account, order: OrderView) -> dict[int, bytes]:
        with self._untold():
            standing, now_s = self.ledger.order(order.id), max(int(self.clock()), self.ledger.now_s())
        _raise(objection_to_order(request, standing, now_s))
        with self._untold():
            sealed = self._sealed(account, order)
        with self._one_at_a_time:
            with self._untold():
                opened = opened_chunks(self.journal, order.id)
            _raise(objection_to_chunks(request, sealed, opened))
            with self._untold():
                key = read_secrets(self.journal, self.box, order.id).key
                if new := set(request.indices) - opened:
                    note_opened(self.journal, order.id, new, now_s)
        return {index: chunk_key(key, index) for index in request.indices}

    def _sealed(self, account: Account, order: OrderView) -> Sealed:
        """What this node sealed for the order. Raises `Unreachable` if it has sealed nothing, or cannot read the wishes."""
        entry = self.journal.last(order.id, Mark.SEALED)
        made = made_for(account, order)
        commission = read_commission(account, made, self.folder_of(made.id), self.store)
        if entry is None or commission is None:
            raise Unreachable("expected a delivery in the journal, with its documents, for an order that is Delivered")
        delivery = decode_delivery(entry.data)
        content_bytes = result.least_rows_bytes(self._schema(account, made, commission), commission.specification.rows)
        sealed = delivery_hash(self.ledger.domain, order.id, delivery)
        return Sealed(sealed, delivery.count, content_bytes, self._stock(account, order))

    def _schema(self, account: Account, made: OrderView, commission: Commission) -> Schema:
        """What the rows of the order's result have."""
        if is_joint(commission.offer):
            joint = read_joint(account, made, self.provider, self.folder_of(made.id), self.store)
            if joint is not None:
                return joint.table
        return commission.description.schema

    def _stock(self, account: Account, order: OrderView) -> bytes | None:
        """What draws the chunks of stock; None for a result that was made for the order."""
        committed = committed_at(account, order)
        return stock_seed(committed.plain_root, self.ledger.block(committed.block).hash) if committed else None

    @contextmanager
    def _untold(self) -> Iterator[None]:
        """What goes wrong inside is told to the provider alone; the other side learns whether to try again."""
        try:
            yield
        except MarketplaceError as error:
            self.note(f"chunks: {error}")
            if isinstance(error, Corrupt):
                raise Corrupt("expected whole records at this node, some are damaged; ask its provider") from None
            raise Unreachable("expected an answer from this node, it cannot give one now; try again later") from None


def _raise(refused: Refused | None) -> None:
    if refused is not None:
        raise refused
