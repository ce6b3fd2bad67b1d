"""What an arbiter does with a contested order: reads the grounds, and opens the result that the buyer's evidence discloses."""

import tempfile
from hashlib import sha256
from pathlib import Path

from marketplace.buying.documents import delivery_of, read_documents
from marketplace.buying.evidence import Evidence
from marketplace.buying.fetching import Progress, fetch_inner
from marketplace.buying.listing import read_document
from marketplace.buying.receiving import keep_documents, open_result
from marketplace.certificate.context import sealing_context
from marketplace.content.disk import explained
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger.ids import Domain
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.specified import read_specified


def grounds_of(order: OrderView, store: ContentStore) -> Grounds:
    """What the buyer of a contested order said is wrong.

    Raises `Refused` if the order was never contested, `Corrupt` for grounds of another order or delivery, and as the store
    does.
    """
    if order.grounds is None:
        raise Refused(f"expected an order that was contested, this one is {order.state.word}; there is nothing to rule")
    grounds = Grounds.decode(read_document(store, order.grounds))
    if (grounds.order, grounds.delivery) != (order.id, order.delivery_hash):
        raise Corrupt("expected grounds about this order's delivery, got others; rule as if none were given")
    return grounds


def examine(
    account: Account,
    order: OrderView,
    domain: Domain,
    store: ContentStore,
    evidence: bytes,
    out: Path,
    progress: Progress,
) -> dict[str, Path]:
    """Opens the result of a contested order with the buyer's `evidence` into the folder `out`, beside all that
    `agora verify` needs. Gives the result's files by name.

    Whether the certificate holds is not judged here: that may be what the order is contested for. Raises `Corrupt` for
    evidence that the grounds do not name or that is about another order, and where the sealed object disagrees with its
    delivery; `WrongChunk` where a chunk does not open; `Refused` if the order was never contested; and as the store does.
    """
    disclosed = _disclosed(evidence, grounds_of(order, store), order, domain)
    own = read_specified(read_document(store, order.order.specification))
    if disclosed.key.public_key.raw != own.sealing_key:
        raise Corrupt(
            "expected the key that the order's result is sealed to, the evidence has another; do not rely on it"
        )
    if out.exists() and not out.is_dir():
        raise Invalid(f"expected a folder for the result, found a file at {out.name!r}; choose another place")
    delivery = delivery_of(order)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.absolute().parent) as kept:
            folder = Path(kept)
            keep_documents(read_documents(account, order, store), folder)
            context = sealing_context(order.id, delivery.manifest)
            fetch_inner(store, delivery, folder, disclosed.key, context, progress)
            return open_result(order, folder, out)
    except OSError as error:
        raise explained(error, f"the folder {out.name!r}") from None


def _disclosed(data: bytes, grounds: Grounds, order: OrderView, domain: Domain) -> Evidence:
    """The evidence in `data`, which the grounds name and which is about this order."""
    if grounds.evidence is None:
        raise Refused("expected grounds that name evidence, these name none; rule by what is public")
    if sha256(data).digest() != grounds.evidence:
        raise Corrupt(
            "expected the evidence that the grounds name by its hash, got another; ask the buyer for that one"
        )
    evidence = Evidence.decode(data)
    if (evidence.chain_id, evidence.contract, evidence.order) != (domain.chain_id, domain.contract, order.id):
        raise Corrupt("expected evidence about this order, got some about another; do not rely on it")
    return evidence
