"""What an audit looks at: gathered once, frozen, and then judged without asking anyone again."""

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.content.cid import Cid
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import DatasetStanding, OfferStanding
from marketplace.protocol.account import Account
from marketplace.protocol.events import Event
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId
from marketplace.protocol.order import Standing


@dataclass(frozen=True)
class Answers:
    """What the contract itself answered after the last event, and what it holds of each token, in token units.

    `orders` may be a part of all orders; everything else is whole. `credits` is by token and account, `withdrawn` by
    offer and member. A balance is None where the token gives no answer.
    """

    datasets: Mapping[DatasetId, DatasetStanding]
    offers: Mapping[OfferId, OfferStanding]
    orders: Mapping[OrderId, Standing]
    credits: Mapping[tuple[Address, Address], int]
    withdrawn: Mapping[tuple[OfferId, int], int]
    balances: Mapping[Address, int | None]


@dataclass(frozen=True)
class Reading:
    """What a content store gave for one address: nothing (`found` is False), something wrong (`fault`), or the bytes.

    `content` is kept of documents; it is None for sealed objects, and for anything too large to be a document.
    """

    found: bool
    content: bytes | None = None
    fault: str = ""


@dataclass(frozen=True)
class Evidence:
    """All events of one contract in the ledger's order, the account that they fold into, the contract's own answers.

    `readings` is None where no content store was given.
    """

    domain: Domain
    events: tuple[Event, ...]
    account: Account
    answers: Answers
    readings: Mapping[Cid, Reading] | None = None
