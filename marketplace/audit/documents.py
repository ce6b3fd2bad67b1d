"""Checks of what lies in a content store: documents and sealed objects under the addresses that the ledger names."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from marketplace.audit.evidence import Evidence, Reading
from marketplace.audit.finding import counted, finding, listed, not_made, short
from marketplace.certificate.agreement import is_delta_small, made_for
from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.account import Account, OfferView, OrderView
from marketplace.protocol.check import Check
from marketplace.protocol.decision import Decision
from marketplace.protocol.description import Description
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.identity import OfferId
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.order import CODEC_DAG_PB, CODEC_RAW
from marketplace.protocol.specified import Specified, read_specified
from marketplace.protocol.states import FINAL
from marketplace.protocol.terms import Terms

DESCRIPTION, TERMS, SPECIFICATION, MANIFEST, OBJECT = "description", "terms", "specification", "manifest", "object"
REASON, DECISION, GROUNDS, DESCRIPTOR = "reason", "decision", "grounds", "descriptor"
NO_STORE = "no content store was given"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Wanted:
    """Something that the ledger names. `kept`: somebody's business now depends on it, so it must be there."""

    noun: str
    cid: Cid
    of: str
    kept: bool

    def __str__(self) -> str:
        return f"the {self.noun} of {self.of} ({self.cid.text[:16]}...)"


def wanted(account: Account) -> Iterator[Wanted]:
    """Everything that the ledger names.

    While an order is open, its provider keeps what describes it, and the delivery once there is one. Specifications
    and grounds are their buyers' business, decisions their authorities', what nobody has ordered harms nobody, and what
    belongs to the past may be gone.
    """
    ordered = _named(account, [order for order in account.orders.values() if order.state not in FINAL])
    relied_on = set().union(*ordered.values())
    for dataset in account.datasets.values():
        of = f"dataset {short(dataset.id)}"
        for version in dataset.versions:
            yield Wanted(DESCRIPTION, Cid.raw(version.description), of, version.description in relied_on)
        for epoch in dataset.epochs[1:]:
            yield Wanted(REASON, Cid.raw(epoch.reason), of, kept=False)
    for offer, view in account.offers.items():
        yield Wanted(TERMS, Cid.raw(view.offer.head.terms), f"offer {short(offer)}", offer in ordered)
    for order in account.orders.values():
        of = f"order {short(order.id)}"
        yield Wanted(SPECIFICATION, Cid.raw(order.order.specification), of, kept=False)
        if order.delivery is not None:
            kept = order.state not in FINAL
            yield Wanted(MANIFEST, Cid.raw(order.delivery.manifest), of, kept)
            if order.delivery.object_codec in (CODEC_RAW, CODEC_DAG_PB):
                yield Wanted(OBJECT, Cid(order.delivery.object, order.delivery.object_codec), of, kept)
        if order.grounds is not None:
            yield Wanted(GROUNDS, Cid.raw(order.grounds), of, kept=False)
    yield from _said(account)


def _said(account: Account) -> Iterator[Wanted]:
    """What authorities decided, and where providers say that their nodes answer."""
    for permit, permit_view in account.permits.items():
        for document in permit_view.documents:
            yield Wanted(DECISION, Cid.raw(document), f"permit {short(permit)}", kept=False)
    busy = {account.offer_of(order).head.lead for order in account.orders.values() if order.state not in FINAL}
    for provider, said in account.providers.items():
        if said.descriptor is not None:
            yield Wanted(
                DESCRIPTOR, Cid.raw(said.descriptor.descriptor), f"provider {short(provider)}", provider in busy
            )


@dataclass(frozen=True)
class Shelf:
    """The documents that were found and can be read, by their hash, and what is wrong or not there.

    `wrong`: other bytes than the address says, a manifest that is none, or another document that is none and must be
    kept. `gone`: must be kept and is not there. `past`: not there or not readable, which nobody promised.
    """

    descriptions: Mapping[bytes, Description]
    specifications: Mapping[bytes, Specified]
    manifests: Mapping[bytes, Manifest]
    found: int
    wrong: tuple[str, ...]
    gone: tuple[str, ...]
    past: tuple[str, ...]


def shelve(account: Account, readings: Mapping[Cid, Reading]) -> Shelf:
    """What a store's readings are worth."""
    shelf = _Shelving(readings)
    for one in wanted(account):
        shelf.add(one)
    return Shelf(
        shelf.descriptions,
        shelf.specifications,
        shelf.manifests,
        len(shelf.found),
        tuple(shelf.wrong),
        tuple(shelf.gone),
        tuple(shelf.past),
    )


class _Shelving:
    def __init__(self, readings: Mapping[Cid, Reading]) -> None:
        self._readings = readings
        self.descriptions: dict[bytes, Description] = {}
        self.specifications: dict[bytes, Specified] = {}
        self.manifests: dict[bytes, Manifest] = {}
        self.terms: dict[bytes, Terms] = {}
        self.grounds: dict[bytes, Grounds] = {}
        self.decisions: dict[bytes, Decision] = {}
        self.found: set[Cid] = set()
        self.wrong: list[str] = []
        self.gone: list[str] = []
        self.past: list[str] = []

    def add(self, one: Wanted) -> None:
        reading = self._readings.get(one.cid)
        if reading is None or not reading.found:
            (self.gone if one.kept else self.past).append(f"{one} is not there")
        elif reading.fault or (reading.content is not None and sha256(reading.content).digest() != one.cid.digest):
            self.wrong.append(f"{one} has other bytes")
        else:
            self.found.add(one.cid)
            self._read(one, reading.content or b"")

    def _read(self, one: Wanted, data: bytes) -> None:
        match one.noun:
            case "description":
                self._decode(one, data, Description.decode, self.descriptions)
            case "terms":
                self._decode(one, data, Terms.decode, self.terms)
            case "manifest":
                self._decode(one, data, Manifest.decode, self.manifests)
            case "specification":
                self._decode(one, data, read_specified, self.specifications)
            case "grounds":
                self._decode(one, data, Grounds.decode, self.grounds)
            case "decision":
                self._decode(one, data, Decision.decode, self.decisions)

    def _decode(self, one: Wanted, data: bytes, decode: Callable[[bytes], Value], shelf: dict[bytes, Value]) -> None:
        if one.cid.digest in shelf:
            return
        try:
            shelf[one.cid.digest] = decode(data)
        except (Corrupt, Invalid):
            is_promised = one.kept or one.noun == MANIFEST
            (self.wrong if is_promised else self.past).append(f"{one} cannot be read")


def hashed_right(shelf: Shelf | None) -> Check:
    """Check 11."""
    sentence = "Everything in the store has the hash that names it, and what must be kept is there."
    if shelf is None:
        return not_made(11, sentence, NO_STORE)
    past = f"; no longer there or of no use, which nobody promised: {listed(list(shelf.past))}" if shelf.past else ""
    return finding(11, sentence, (*shelf.wrong, *shelf.gone), f"{counted(shelf.found, 'file')} read{past}")


def deltas_small(evidence: Evidence, shelf: Shelf | None) -> Check:
    """Check 14."""
    sentence = "The delta of every offer is within min(1e-5, 1/(10 n)) for the n rows that its datasets declare."
    if shelf is None:
        return not_made(14, sentence, NO_STORE)
    named = _named(evidence.account, evidence.account.orders.values())
    offenders, checked, unread = [], 0, 0
    for view in evidence.account.offers.values():
        if view.offer.head.guarantee is Guarantee.EXACT:
            continue
        described = [
            shelf.descriptions.get(digest) for digest in _sold(evidence.account, view) | named.get(view.offer.id, set())
        ]
        rows = max((description.rows_declared for description in described if description), default=0)
        checked, unread = checked + (rows > 0), unread + (None in described)
        if rows and not is_delta_small(view.offer.head.delta_atto, rows):
            offenders.append(
                f"offer {short(view.offer.id)}: delta {view.offer.head.delta_atto} / 10^18 for {rows:,} rows"
            )
    missing = f"{counted(unread, 'offer')} with a description that could not be read" if unread else ""
    if unread and not checked:
        return not_made(14, sentence, missing)
    return finding(14, sentence, offenders, f"{counted(checked, 'offer')}{'; ' if missing else ''}{missing}")


def _sold(account: Account, view: OfferView) -> set[bytes]:
    """The descriptions that were current when an offer was published."""
    sold = set()
    for member in view.offer.members:
        dataset = account.datasets.get(member.dataset)
        before = [version for version in dataset.versions if version.position < view.position] if dataset else []
        sold |= {version.description for version in before[-1:]}
    return sold


def _named(account: Account, orders: Iterable[OrderView]) -> Mapping[OfferId, set[bytes]]:
    """The descriptions that `orders` named, by offer: for stock, what the order named that its result was made for."""
    named: dict[OfferId, set[bytes]] = defaultdict(set)
    for order in orders:
        made = made_for(account, order)
        for index, member in enumerate(account.offer_of(made).members):
            versions = account.datasets[member.dataset].versions[: made.order.version(index)]
            named[order.order.offer] |= {version.description for version in versions[-1:]}
    return named
