"""The contracts' log entries as typed events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marketplace.errors import Corrupt
from marketplace.ledger.abi import DELIVERY, HEAD, MEMBER, decode, member
from marketplace.ledger.addresses import Places, checksummed
from marketplace.ledger.artifact import Artifact, Entry
from marketplace.ledger.chain import Log
from marketplace.protocol import events as ev
from marketplace.protocol.events import Position
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Order
from marketplace.protocol.permit import Grant
from marketplace.protocol.states import DeclineReason, Reason

Entries = Mapping[Address, Mapping[bytes, Entry]]
"""Each contract's events by topic."""

_FOR_WALLETS = frozenset({"Transfer", "Approval", "ApprovalForAll", "Locked"})
"""What the licences tell wallets (ERC-721, ERC-5192). Nothing in it that the order and the clock do not say."""


def entries_at(places: Places, compiled: Artifact) -> Entries:
    """The events of the contracts that write them."""
    return {
        places.marketplace: compiled.marketplace.events,
        places.permits: compiled.permits.events,
        places.providers: compiled.providers.events,
        places.licences: compiled.licences.events,
    }


def decode_events(logs: Iterable[Log], entries: Entries) -> Iterator[ev.Event]:
    """The events that `logs` hold, in their order, but for what is for wallets alone.

    Raises `Corrupt` for one that this program does not know.
    """
    for log in logs:
        entry = entries.get(log.contract, {}).get(log.topics[0]) if log.topics else None
        if entry is None:
            raise _unknown(log.position)
        if entry.name not in _FOR_WALLETS:
            yield _event(entry.name, _values(entry, log), log.position)


def _values(entry: Entry, log: Log) -> dict[str, Any]:
    """The arguments of a log entry by name, addresses checksummed. Indexed ones stand in the topics, each as one word."""
    inside = [item for item in entry.inputs if item.indexed]
    outside = [item for item in entry.inputs if not item.indexed]
    if len(inside) != len(log.topics) - 1:
        raise _unknown(log.position)
    values = decode((item.type for item in inside), b"".join(log.topics[1:]))
    values += decode((item.type for item in outside), log.data)
    pairs = zip((*inside, *outside), values, strict=True)
    return {item.name: checksummed(value) if item.type == "address" else value for item, value in pairs}


def _event(name: str, of: Mapping[str, Any], at: Position) -> ev.Event:
    for group in (_offering, _moving, _ending, _paying, _permitting, _saying):
        found = group(name, of, at)
        if found is not None:
            return found
    raise _unknown(at)


def _offering(name: str, of: Mapping[str, Any], at: Position) -> ev.Event | None:
    """Of datasets and offers."""
    match name:
        case "DatasetRegistered":
            hashes = (of["salt"], of["commitment"], of["description"])
            dataset = DatasetId(of["dataset"])
            return ev.DatasetRegistered(at, dataset, of["provider"], *hashes, of["total"], of["exactTotal"])
        case "DatasetRevised":
            return ev.DatasetRevised(at, DatasetId(of["dataset"]), of["version"], of["commitment"], of["description"])
        case "EpochOpened":
            numbers = (of["epoch"], of["total"], of["exactTotal"])
            return ev.EpochOpened(at, DatasetId(of["dataset"]), *numbers, of["reason"])
        case "OfferPublished":
            members = tuple(MEMBER.value(row) for row in of["members"])
            return ev.OfferPublished(at, Offer(OfferId(of["offer"]), HEAD.value(of["head"]), members))
        case "StockOffered":
            return ev.StockOffered(at, OfferId(of["offer"]), OrderId(of["origin"]))
        case "OfferRetired":
            return ev.OfferRetired(at, OfferId(of["offer"]), of["by"])
    return None


def _moving(name: str, of: Mapping[str, Any], at: Position) -> ev.Event | None:
    """Of orders on their way."""
    match name:
        case "OrderPlaced":
            offer, numbers = OfferId(of["offer"]), (of["versions"], of["placeBy"])
            order = Order(offer, of["buyer"], of["specification"], *numbers, of["permit"])
            return ev.OrderPlaced(at, OrderId(of["order"]), order)
        case "OrderDelivered":
            details = DELIVERY.value(of["details"])
            return ev.OrderDelivered(at, OrderId(of["order"]), DeliveryHash(of["delivery"]), details)
        case "OrderAccepted":
            return ev.OrderAccepted(at, OrderId(of["order"]))
        case "OrderRevealed":
            return ev.OrderRevealed(at, OrderId(of["order"]), of["key"])
        case "OrderContested":
            return ev.OrderContested(at, OrderId(of["order"]), of["grounds"])
    return None


def _ending(name: str, of: Mapping[str, Any], at: Position) -> ev.Event | None:
    """Of orders that end, and of what they give back."""
    match name:
        case "OrderDeclined":
            return ev.OrderDeclined(at, OrderId(of["order"]), member(DeclineReason, of["why"]))
        case "OrderRuled":
            return ev.OrderRuled(at, OrderId(of["order"]), of["priceBps"], of["bondBps"])
        case "OrderSettled":
            return ev.OrderSettled(at, OrderId(of["order"]), member(Reason, of["reason"]))
        case "OrderRefunded":
            return ev.OrderRefunded(at, OrderId(of["order"]), member(Reason, of["reason"]))
        case "OrderForfeited":
            return ev.OrderForfeited(at, OrderId(of["order"]), member(Reason, of["reason"]))
        case "RhoReleased":
            return ev.RhoReleased(at, OrderId(of["order"]), DatasetId(of["dataset"]), of["rhoMicro"])
        case "ExactReleased":
            return ev.ExactReleased(at, OrderId(of["order"]), DatasetId(of["dataset"]))
    return None


def _paying(name: str, of: Mapping[str, Any], at: Position) -> ev.Event | None:
    """Of money paid in and out."""
    match name:
        case "Staked":
            return ev.Staked(at, of["token"], of["account"], of["amount"])
        case "CreditWithdrawn":
            return ev.CreditWithdrawn(at, of["token"], of["account"], of["amount"])
        case "PayoutWithdrawn":
            return ev.PayoutWithdrawn(at, OfferId(of["offer"]), of["member"], of["provider"], of["amount"])
    return None


def _permitting(name: str, of: Mapping[str, Any], at: Position) -> ev.Event | None:
    """Of permits."""
    match name:
        case "PermitGranted":
            term = (of["purpose"], of["from"], of["to"])
            grant = Grant(of["holder"], *term, of["document"], tuple(of["subjects"]))
            return ev.PermitGranted(at, PermitId(of["permit"]), of["authority"], grant)
        case "PermitExtended":
            return ev.PermitExtended(at, PermitId(of["permit"]), of["to"], of["document"])
        case "PermitRevoked":
            return ev.PermitRevoked(at, PermitId(of["permit"]), of["document"])
    return None


def _saying(name: str, of: Mapping[str, Any], at: Position) -> ev.Event | None:
    """Of providers' own words, and of the users of licences."""
    match name:
        case "ProviderDescribed":
            return ev.ProviderDescribed(at, of["provider"], of["descriptor"], of["certificate"])
        case "RootAnchored":
            return ev.RootAnchored(at, of["provider"], of["day"], of["root"])
        case "UserNamed":
            return ev.UserNamed(at, OrderId(of["order"]), of["user"])
    return None


def _unknown(position: Position) -> Corrupt:
    return Corrupt(
        f"expected events of the marketplace that this program knows, got another in block {position.block}; "
        "check the contract's address and this program's version"
    )
