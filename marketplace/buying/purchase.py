"""A purchase before it is made: the specification, the order, and what it will cost."""

import os
from dataclasses import dataclass, replace
from hashlib import sha256

from marketplace.buying.listing import Entry, Source
from marketplace.buying.permission import permit_for
from marketplace.errors import Invalid, Refused
from marketplace.keys.sealing import order_key
from marketplace.ledger.ledger import Receipt
from marketplace.protocol.account import Account, PermitView
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.analysis import Analysis, AnalysisSpecification
from marketplace.protocol.analysis_lane import SMALLEST_CELL
from marketplace.protocol.constraints import Condition
from marketplace.protocol.identity import NOTHING, Address, OrderId, PermitId
from marketplace.protocol.offer import Guarantee, Head, Kind
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.pool import TWIN_THRESHOLD, check_members, check_twin, noise_of, split_of
from marketplace.protocol.specification import DEFAULT_GENERATOR, Specification, Workload
from marketplace.protocol.specified import Specified
from marketplace.protocol.threshold import Threshold
from marketplace.scores.thresholds import check_thresholds

DEFAULT_SLOT_S = 60
PLACE_WITHIN_S = 3_600


@dataclass(frozen=True)
class Wishes:
    """What a buyer asks for within an offer.

    `rows`: how many synthetic rows, or persons; None for `Description.rows_by_default`. `slot_s`: seconds between the times at
    which a delivery may be posted. `permit`: None for the one that fits. `place_within_s`: how long the order can be placed.
    `only`: conditions that every synthetic row is to meet.
    `generator`: what is to make the rows; None for the default one. `subgroups`: a column whose values are scored one by
    one. `thresholds`: what released scores must meet for the delivery to be accepted.
    """

    rows: int | None = None
    workload: Workload | None = None
    slot_s: int = DEFAULT_SLOT_S
    permit: PermitId | None = None
    place_within_s: int = PLACE_WITHIN_S
    only: tuple[Condition, ...] = ()
    generator: str | None = None
    subgroups: str | None = None
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True)
class Questions:
    """What a buyer asks several providers together within an offer of analyses.

    `analyses`: answered in this order. `only`: rows that do not meet these conditions are left out. `threshold`: how many
    dishonest parties the noise is to suffice for. `smallest_cell`: of an exact answer; None for the least that records may
    have that are not declared public. The rest as in `Wishes`.
    """

    analyses: tuple[Analysis, ...]
    only: tuple[Condition, ...] = ()
    threshold: int = 1
    slot_s: int = DEFAULT_SLOT_S
    permit: PermitId | None = None
    place_within_s: int = PLACE_WITHIN_S
    smallest_cell: int | None = None


@dataclass(frozen=True)
class Purchase:
    """What a buyer is about to sign. The price lines are the offer's `cost` and `margin`.

    `permit`: the one that it buys with; None where the offer names no authority.
    """

    entry: Entry
    specification: Specified
    order: Order
    permit: PermitView | None

    @property
    def terms_hash(self) -> bytes:
        """The hash of the licence terms that placing accepts."""
        return self.entry.view.offer.head.terms


@dataclass(frozen=True)
class Placed:
    """A placed order and the transactions that it took: `approve` where the allowance was too small, then `place`."""

    order: OrderId
    receipts: tuple[Receipt, ...]


def draft(
    account: Account, entry: Entry, buyer: Address, seed: bytes, wishes: Wishes | Questions, now_s: int
) -> Purchase:
    """A purchase of `entry` with a sealing key of its own, derived from `seed` and a fresh nonce.

    Raises `Invalid` for wishes that cannot be met, `Refused` where the offer is closed, no permit fits, or a budget, an
    allowance or the bond is too small, before any money moves.
    """
    offer = entry.view.offer
    _check_open(entry, now_s)
    _check_slot(offer.head, wishes)
    nonce = os.urandom(32)
    sealing_key = order_key(seed, nonce).public_key.raw
    specification = (
        analysis_of(entry, wishes, sealing_key, nonce)
        if isinstance(wishes, Questions)
        else specification_of(entry, wishes, sealing_key, nonce)
    )
    permit = permit_for(account, offer, buyer, wishes.permit, now_s)
    order = Order(
        offer=offer.id,
        buyer=buyer,
        specification=sha256(specification.encode()).digest(),
        versions=0 if entry.earlier else pack_versions([source.version for source in entry.sources]),
        place_by_s=now_s + wishes.place_within_s,
        permit=permit.id if permit else NOTHING,
    )
    return Purchase(entry, specification, order, permit)


def specification_of(entry: Entry, wishes: Wishes, sealing_key: bytes, nonce: bytes) -> Specification:
    """The specification of an order with these wishes. Stock is sold as it is: as the specification that it was made by.

    Raises `Invalid` for wishes that the schema rules out, and for any about stock.
    """
    offer, earlier = entry.view.offer.id, entry.earlier
    if entry.view.offer.head.kind is Kind.ANALYSIS:
        raise Invalid(
            "expected questions to an offer of analyses, got wishes for synthetic rows; `agora buy --questions` asks them"
        )
    if earlier is not None:
        names = ("rows", "workload", "only", "generator", "subgroups", "thresholds")
        asked, kept = ([getattr(each, name) for name in names] for each in (wishes, earlier))
        if any(wish not in (None, (), Workload(), own) for wish, own in zip(asked, kept, strict=True)):
            raise Invalid(
                f"expected no wishes for stock, which is sold as it is with {earlier.rows:,} rows; leave them out"
            )
        return replace(earlier, offer=offer, slot_s=wishes.slot_s, sealing_key=sealing_key, nonce=nonce)
    described = [source.description for source in entry.sources]
    schemas = [each.schema for each in described]
    split = split_of(entry.view.offer, schemas)
    rows = [each.rows_by_default for each in described]
    specification = Specification(
        offer=offer,
        rows=(split.most(rows) if split else sum(rows)) if wishes.rows is None else wishes.rows,
        workload=wishes.workload or Workload(),
        slot_s=wishes.slot_s,
        sealing_key=sealing_key,
        nonce=nonce,
        only=wishes.only,
        generator=wishes.generator or DEFAULT_GENERATOR,
        subgroups=wishes.subgroups,
        thresholds=wishes.thresholds,
    )
    tables = [split.joined] if split else schemas
    for table in tables:
        specification.check(table)
        check_thresholds(table, specification, pooled=len(described) > 1)
    if len(described) > 1:
        check_members(entry.view.offer, TWIN_THRESHOLD, schemas)
        check_twin(specification, tables[0])
    return specification


def analysis_of(entry: Entry, questions: Questions, sealing_key: bytes, nonce: bytes) -> AnalysisSpecification:
    """The specification of an order with these questions.

    Raises `Invalid` for an offer of something else, and for questions that the members' schemas or the rho rule out;
    `Refused` for too few parties or a threshold that cannot be.
    """
    offer = entry.view.offer
    if offer.head.kind is not Kind.ANALYSIS:
        raise Invalid(
            f"expected an offer of analyses, this one is of kind {offer.head.kind.name.lower()}; choose another"
        )
    exact = offer.head.guarantee is Guarantee.EXACT
    specification = AnalysisSpecification(
        offer=offer.id,
        analyses=questions.analyses,
        slot_s=questions.slot_s,
        sealing_key=sealing_key,
        nonce=nonce,
        only=questions.only,
        threshold=questions.threshold,
        smallest_cell=(questions.smallest_cell or SMALLEST_CELL) if exact else questions.smallest_cell,
    )
    noise_of(offer, specification, [source.description.schema for source in entry.sources])
    return specification


def _check_slot(head: Head, wishes: Wishes | Questions) -> None:
    half_s = head.deliver_window_s // 2
    if wishes.slot_s > half_s:
        raise Invalid(f"expected a slot of at most {half_s} s, half of the delivery window, got {wishes.slot_s} s")
    if wishes.place_within_s < 1:
        raise Invalid(f"expected at least a second to place the order in, got {wishes.place_within_s} s")


def _check_open(entry: Entry, now_s: int) -> None:
    head = entry.view.offer.head
    if not entry.is_open(now_s):
        raise Refused("expected an open offer; this one is retired, has expired or has no place left; choose another")
    for source in entry.sources:
        _check_source(head, source)
    if head.bond_units > entry.credit_units:
        raise Refused(
            f"expected a provider that can post its bond of {euro_text(head.bond_units)}, it has "
            f"{euro_text(entry.credit_units)} staked and free; choose another offer, or ask the provider to stake"
        )


def _check_source(head: Head, source: Source) -> None:
    if source.orders_left(head) != 0:
        return
    if head.guarantee is Guarantee.EXACT:
        raise Refused(
            f"expected an allowance of exact orders, that of dataset {source.dataset.id.hex()[:16]}... is used up; "
            "wait for its next epoch, or choose another offer"
        )
    raise Refused(
        f"expected a budget of {source.member.rho_micro} micro-rho, the dataset has {source.dataset.left_micro} left; "
        "choose a cheaper offer or another dataset"
    )
