"""Small records that are nobody's, what is declared about them, and orders at every point of their lives."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

from marketplace.protocol.account import OrderView, Step
from marketplace.protocol.description import Description
from marketplace.protocol.events import Position
from marketplace.protocol.identity import Address, DatasetId, OfferId, OrderId, PermitId
from marketplace.protocol.offer import Member, Offer
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.permit import Grant
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload
from marketplace.protocol.states import OrderState, Reason
from marketplace.protocol.views import PermitView
from node.provider import Words
from node.work import Desk, Made, Share
from tests.protocol.examples import address, head

SCHEMA = Schema(
    (
        Category("sex", ("female", "male"), missing=False),
        Number("age", Decimal(0), Decimal(90), Decimal(10), missing=True),
        Category("test", ("negative", "positive"), missing=False),
    ),
    person="patient",
    rows_per_person=2,
)
WORDS = Words("Tests of nobody", "Drawn at random.", "Made for a test.")
ROWS_DECLARED = 400
DESCRIPTION = Description(WORDS.title, WORDS.summary, WORDS.provenance, SCHEMA, ROWS_DECLARED)
HIDDEN = "hush-hush-"

DATASET = DatasetId(b"d" * 32)
ORDER = OrderId(b"o" * 32)
PERMIT = PermitId(b"p" * 32)
AUTHORITY = address(7)
PERMITTED = {"authority": AUTHORITY, "purposes": 1 << 4}
PLACED_AT_S, DEADLINE_S = 1_000_000, 1_003_600


def records(path: Path, persons: int = 450, seed: int = 7) -> Path:
    """A CSV file of `persons` persons with one to three rows each, whose names begin with `HIDDEN`."""
    choices, lines = Random(seed), ["patient,sex,age,test"]
    for person in range(persons):
        sex = choices.choice(("female", "male"))
        age = choices.choice(("", *(str(10 * decade) for decade in range(10))))
        for _ in range(1 + choices.randrange(3)):
            test = "positive" if choices.random() < (0.4 if sex == "male" else 0.1) else "negative"
            lines.append(f"{HIDDEN}{person},{sex},{age},{test}")
    path.write_text("\n".join(lines) + "\n")
    return path


def offer(rho_micro: int = 20_000, **changes: object) -> Offer:
    """An offer of this dataset alone."""
    return Offer(OfferId(b"f" * 32), head(**changes), (Member(DATASET, address(1), 10_000, rho_micro),))


def specification(**changes: object) -> Specification:
    """A specification that admission lets in, but for `changes`."""
    made = Specification(b"f" * 32, ROWS_DECLARED, Workload(), 600, b"k" * SEALING_KEY_BYTES, b"n" * 32)
    return replace(made, **changes)  # type: ignore[arg-type]


def order(**changes: object) -> Order:
    """The order behind `view`, but for `changes`."""
    made = Order(OfferId(b"f" * 32), address(2), b"s" * 32, pack_versions([1]), PLACED_AT_S + 600)
    return replace(made, **changes)  # type: ignore[arg-type]


def view(
    state: OrderState, reason: Reason = Reason.NONE, released: bool = False, made: Order | None = None
) -> OrderView:
    """An order that was placed at `PLACED_AT_S` and came into `state`. Its deadline is `DEADLINE_S`."""
    placed = Step(OrderState.PLACED, Reason.NONE, Position(1, 0, b"t" * 32, PLACED_AT_S))
    life = (placed,) if state is OrderState.PLACED else (placed, Step(state, reason, replace(placed.position, block=2)))
    given_back = frozenset({DATASET}) if released else frozenset()
    return OrderView(ORDER, made or order(), life, DEADLINE_S, released=given_back)


def permit(authority: Address = AUTHORITY, revoked_at_s: int = 0, **changes: object) -> PermitView:
    """A permit that lets `order` be served from long before to long after, but for `changes`."""
    grant = Grant(address(2), 4, 0, 2 * DEADLINE_S, b"a" * 32, (b"f" * 32,))
    made = replace(grant, **changes)  # type: ignore[arg-type]
    return PermitView(PERMIT, authority, made, Position(0, 0, b"t" * 32, 0), made.to_s, revoked_at_s=revoked_at_s)


def desk(state: OrderState = OrderState.PLACED, reason: Reason = Reason.NONE, **changes: object) -> Desk:
    """The desk of a node that has done nothing yet about an order that it could serve, but for `changes`.

    `accounted`, `touched`: of its one dataset.
    """
    share = Share(0, DATASET, bool(changes.pop("accounted", True)), bool(changes.pop("touched", False)))
    bare = Desk(
        order=view(state, reason),
        offer=offer(),
        leads=True,
        shares=(share,),
        permit=None,
        slot_s=600,
        objection=None,
        made=Made.NOT_BEGUN,
        closed=False,
        sealed_at_s=None,
    )
    return replace(bare, **changes)  # type: ignore[arg-type]


def permitted_desk(state: OrderState = OrderState.PLACED, given: PermitView | None = None, **changes: object) -> Desk:
    """The desk of an order whose offer asks for a permit, with the permit that is `given`."""
    held = desk(state, permit=given, offer=offer(**PERMITTED), **changes)
    return replace(held, order=view(state, made=order(permit=PERMIT)))
