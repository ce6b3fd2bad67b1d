"""What an audit looks at: gathered once, frozen, and then judged without asking anyone again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketplace.content.cid import Cid
from marketplace.ledger.ids import Domain
from marketplace.ledger.ledger import DatasetStanding, OfferStanding
from marketplace.protocol.account import Account
from marketplace.protocol.events import Event
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId, PermitId
from marketplace.protocol.order import Standing
from marketplace.protocol.permit import PermitStanding


@dataclass(frozen=True)
class Answers:
    """What the contract itself answered after the last event, and what it holds of each token, in token units.

    `orders`, `covers` and `licensed` may be a part of all there is to ask; everything else is whole. `credits` is by token
    and account, `withdrawn` by offer and member. A balance is None where the token gives no answer. `covers` says whether a
    permit is for a subject, `licensed` whether somebody holds an order's licence at `asked_at_s`, the ledger's own time.
    """

    datasets: Mapping[DatasetId, DatasetStanding]
    offers: Mapping[OfferId, OfferStanding]
    orders: Mapping[OrderId, Standing]
    credits: Mapping[tuple[Address, Address], int]
    withdrawn: Mapping[tuple[OfferId, int], int]
    balances: Mapping[Address, int | None]
    permits: Mapping[PermitId, PermitStanding] = field(default_factory=dict)
    covers: Mapping[tuple[PermitId, bytes], bool] = field(default_factory=dict)
    licensed: Mapping[tuple[OrderId, Address], bool] = field(default_factory=dict)
    asked_at_s: int = 0


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
