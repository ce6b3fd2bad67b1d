"""Schemas and documents that the tests of the protocol share, and strategies that make more of them."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from marketplace.protocol.decision import Act, Decision
from marketplace.protocol.description import Description
from marketplace.protocol.descriptor import Descriptor, Place
from marketplace.protocol.epoch import EpochReason
from marketplace.protocol.grounds import Grounds
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OrderId
from marketplace.protocol.offer import Guarantee, Head, Kind
from marketplace.protocol.schema import Category, Column, Number, Schema, Table, Timeline
from marketplace.protocol.specification import SEALING_KEY_BYTES, Specification, Workload

SEX = Category("sex", ("female", "male", "other"), missing=False)
WARD = Category("ward", ('the "red" one', "über", "x, y"), missing=True)
AGE = Number("age", Decimal(0), Decimal(18), Decimal("0.5"), missing=True)
SCHEMA = Schema((SEX, WARD, AGE), person="subject", rows_per_person=3)
DESCRIPTION = Description("Tests of a children's hospital", "What was tested.", "A public table.", SCHEMA, 15_000)
SPECIFICATION = Specification(
    offer=b"o" * 32,
    rows=1_000,
    workload=Workload((("sex",), ("sex", "age", "ward"))),
    slot_s=600,
    sealing_key=b"k" * SEALING_KEY_BYTES,
    nonce=b"n" * 32,
)
GROUNDS = Grounds(OrderId(b"o" * 32), DeliveryHash(b"d" * 32), "The ages are all one.\nSee row 5.", b"e" * 32)
DESCRIPTOR = Descriptor(Address("0x" + "12" * 20), Place("node.example", 8_443), b"\xcc" * 32)

EPOCH_REASON = EpochReason(DatasetId(b"d" * 32), 500_000, 3, "Records of two more years.\nThe ethics board agreed.")


def address(number: int) -> Address:
    """An address without letters, which is its own mixed-case form."""
    return Address(f"0x{number:040d}")


DECISION = Decision(
    act=Act.GRANT,
    authority=address(20),
    holder=address(21),
    purpose=4,
    from_s=1_700_000_000,
    to_s=1_731_536_000,
    subjects=(b"o" * 32, b"d" * 32),
    reference="HDAB 2026/17",
    words="For a study of hospital stays.\nResults are published within 18 months.",
)


def head(**changes: object) -> Head:
    """The terms of an offer at 90.10 and 9.89 euro, with every window an hour or more."""
    values: dict[str, object] = {
        "lead": address(1),
        "kind": Kind.SYNTHETIC,
        "guarantee": Guarantee.DIFFERENTIALLY_PRIVATE,
        "token": address(9),
        "cost_units": 90_100_000,
        "margin_units": 9_890_003,
        "delta_atto": 6 * 10**12,
        "deliver_window_s": 7_200,
        "accept_window_s": 3_600,
        "reveal_window_s": 3_700,
        "challenge_window_s": 3_800,
        "rule_window_s": 0,
        "licence_s": 31_536_000,
        "compute_fee_bps": 1_000,
        "bond_units": 5_000_000,
        "contest_deposit_units": 0,
        "max_open": 100,
        "terms": b"t" * 32,
        "valid_until_s": 2_000_000_000,
    }
    return Head(**(values | changes))  # type: ignore[arg-type]


LINES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=12)
NAMES = LINES.map(str.strip).filter(lambda name: bool(name) and name.isprintable())


@st.composite
def numbers(draw: st.DrawFn, name: str) -> Number:
    """Any column of numbers of at most 1,000 points."""
    decimals = draw(st.integers(0, 6))
    step = Decimal(draw(st.integers(1, 10**6))).scaleb(-decimals)
    lower = Decimal(draw(st.integers(-(10**9), 10**9))).scaleb(-draw(st.integers(0, 6)))
    unit = draw(st.sampled_from(["", "mg/dL", "10*9/L"]))
    return Number(name, lower, lower + step * draw(st.integers(0, 999)), step, draw(st.booleans()), unit)


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    """Any column of this name."""
    if draw(st.booleans()):
        return draw(numbers(name))
    values = draw(st.lists(LINES, min_size=1, max_size=5, unique=True))
    return Category(name, tuple(values), draw(st.booleans()))


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Any schema of one to four columns."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    person = names.pop() if len(names) > 1 and draw(st.booleans()) else None
    parts = tuple([draw(columns(name)) for name in names])
    return Schema(parts, person, draw(st.integers(1, 9)) if person else 1)


@st.composite
def linked_schemas(draw: st.DrawFn) -> Schema:
    """Any schema whose rows hang together under persons: of a main table with or without a timeline, and further tables."""
    has_timeline = draw(st.booleans())
    main = draw(_tables_of("main", 3, has_timeline))
    names = draw(st.lists(st.sampled_from(["labs", "stays"]), unique=True, min_size=0 if has_timeline else 1))
    tables = tuple(Table(name, draw(_tables_of(name, 2, draw(st.booleans())))) for name in names)
    visits = [name for name in main.names if main.timeline is None or name != main.timeline.column]
    fixed = draw(st.lists(st.sampled_from(visits), unique=True)) if has_timeline and visits else []
    return replace(main, fixed=tuple(fixed), tables=tables) if has_timeline else replace(main, tables=tables)


@st.composite
def _tables_of(draw: st.DrawFn, name: str, most: int, has_timeline: bool) -> Schema:
    """A table of persons, with a row for each or, with a timeline, up to four."""
    parts = tuple([draw(columns(f"{name} {place}")) for place in range(draw(st.integers(1, most)))])
    if not has_timeline:
        return Schema(parts, "person", 1)
    time = replace(draw(numbers("time")), missing=False)
    timeline = Timeline("time", strict=draw(st.booleans()))
    return Schema((*parts, time), "person", draw(st.integers(1, 4)), timeline=timeline)
