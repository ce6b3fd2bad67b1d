"""The contract's log entries as typed events."""

from collections.abc import Mapping
from typing import Any

from marketplace.errors import Corrupt
from marketplace.ledger.abi import DELIVERY, HEAD, MEMBER, ORDER, decode, member
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.artifact import Entry
from marketplace.ledger.chain import Log
from marketplace.protocol import events as ev
from marketplace.protocol.events import Position
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import Reason


def decode_event(log: Log, entries: Mapping[bytes, Entry]) -> ev.Event:
    """The event that `log` holds, `entries` being the contract's events by topic.

    Raises `Corrupt` if it holds none that this program knows.
    """
    entry = entries.get(log.topics[0]) if log.topics else None
    if entry is None:
        raise _unknown(log.position)
    return _event(entry.name, _values(entry, log), log.position)


def _values(entry: Entry, log: Log) -> dict[str, Any]:
    """The arguments of a log entry by name. Indexed ones stand in the topics, each as one word."""
    inside = [item for item in entry.inputs if item.indexed]
    outside = [item for item in entry.inputs if not item.indexed]
    if len(inside) != len(log.topics) - 1:
        raise _unknown(log.position)
    values = decode((item.type for item in inside), b"".join(log.topics[1:]))
    values += decode((item.type for item in outside), log.data)
    return {item.name: value for item, value in zip((*inside, *outside), values, strict=True)}


def _event(name: str, of: Mapping[str, Any], position: Position) -> ev.Event:
    match name:
        case "DatasetRegistered" | "DatasetRevised" | "OfferPublished" | "OfferRetired":
            return _thing(name, of, position)
        case "Staked":
            return ev.Staked(position, checksummed(of["token"]), checksummed(of["account"]), of["amount"])
        case "CreditWithdrawn":
            return ev.CreditWithdrawn(position, checksummed(of["token"]), checksummed(of["account"]), of["amount"])
        case "PayoutWithdrawn":
            provider: Address = checksummed(of["provider"])
            return ev.PayoutWithdrawn(position, OfferId(of["offer"]), of["member"], provider, of["amount"])
    return _step(name, of, position)


def _thing(name: str, of: Mapping[str, Any], position: Position) -> ev.Event:
    match name:
        case "DatasetRegistered":
            return ev.DatasetRegistered(
                position,
                DatasetId(of["dataset"]),
                checksummed(of["provider"]),
                of["salt"],
                of["commitment"],
                of["description"],
                of["total"],
            )
        case "DatasetRevised":
            return ev.DatasetRevised(
                position, DatasetId(of["dataset"]), of["version"], of["commitment"], of["description"]
            )
        case "OfferPublished":
            members = tuple(MEMBER.value(row) for row in of["members"])
            return ev.OfferPublished(position, Offer(OfferId(of["offer"]), HEAD.value(of["head"]), members))
        case "OfferRetired":
            return ev.OfferRetired(position, OfferId(of["offer"]), checksummed(of["by"]))
    raise _unknown(position)


def _step(name: str, of: Mapping[str, Any], position: Position) -> ev.Event:
    if "order" not in of:
        raise _unknown(position)
    order = OrderId(of["order"])
    match name:
        case "OrderPlaced":
            return ev.OrderPlaced(position, order, ORDER.value(of["details"]), of["deadline"])
        case "OrderDelivered":
            details = DELIVERY.value(of["details"])
            return ev.OrderDelivered(position, order, DeliveryHash(of["delivery"]), details, of["deadline"])
        case "OrderAccepted":
            return ev.OrderAccepted(position, order, DeliveryHash(of["delivery"]), of["deadline"])
        case "OrderRevealed":
            return ev.OrderRevealed(position, order, of["key"], of["deadline"])
        case "OrderSettled":
            return ev.OrderSettled(position, order, member(Reason, of["reason"]))
        case "OrderRefunded":
            return ev.OrderRefunded(position, order, member(Reason, of["reason"]))
        case "OrderForfeited":
            return ev.OrderForfeited(position, order, member(Reason, of["reason"]))
        case "RhoReleased":
            return ev.RhoReleased(position, order, DatasetId(of["dataset"]), of["rhoMicro"])
    raise _unknown(position)


def _unknown(position: Position) -> Corrupt:
    return Corrupt(
        f"expected events of the marketplace that this program knows, got another in block {position.block}; "
        "check the contract's address and this program's version"
    )
