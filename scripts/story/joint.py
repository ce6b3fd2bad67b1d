"""The act of several hospitals: each lists its own records, they offer answers together, a buyer asks and pays for two."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.audit.audit import Audit, judge
from marketplace.audit.gathering import gather
from marketplace.buying.authority import Authority, Reasons, Request
from marketplace.buying.client import Client
from marketplace.buying.purchase import Questions
from marketplace.certificate.folder import MANIFEST
from marketplace.certificate.manifest import Manifest
from marketplace.certificate.verification import Verification, verify
from marketplace.errors import Refused
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.analysis_answer import ANSWERS, decode
from marketplace.protocol.analysis_lane import lane_of
from marketplace.protocol.analysis_quote import Setting, guarantee_words
from marketplace.protocol.description import round_rows
from marketplace.protocol.identity import NOBODY, OrderId
from marketplace.protocol.offer import Guarantee, Kind, Offer
from marketplace.protocol.purpose import purpose_text
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.states import OrderState
from marketplace.protocol.unit import PrivacyUnit
from node.admission import Rules
from node.conditions import DAY_S, Conditions
from node.home import ORDERS, Node
from node.pool.closing import JointClosing
from node.pooling import Part
from node.provider import WHOLE_BPS, Listed, Words
from node.workers.job import Name
from scripts.story.ending import audit_document
from scripts.story.folder import EXACT, NOISY, Opened
from scripts.story.joint_ending import Answered, curves_of
from scripts.story.lung import lung_split
from scripts.story.narration import Narrator, gas_of
from scripts.story.options import Split
from scripts.story.oracle import largest_difference, pooled_curves
from scripts.story.play import BOND_UNITS, COST_UNITS, MARGIN_UNITS, ORDERS_IN_BUDGET, PURSE_UNITS, SLOT_S
from scripts.story.split import Hospitals, read_split
from scripts.story.stage import Stage, open_buyer
from scripts.story.together import ServingTogether, open_nodes

RESEARCH, THRESHOLD, UNIT = 4, 1, PrivacyUnit.PERSON_AT_PROVIDER
PERMIT = Reasons("demo 1", "Granted by the authority of this demo, which is no real one.")
LARGEST_DIFFERENCE = 1e-6
"""Answers are told with 12 digits, and a test's statistic may be large."""
LUNG = Words(
    title="Advanced lung cancer at one of several hospitals",
    summary="Survival in days, with sex.",
    provenance="NCCTG, Loprinzi and others 1994; R package survival.",
)
GIVEN = Words("Records of one of several hospitals", "A part of a table given to the demo.", "A file of the caller's.")


@dataclass(frozen=True)
class Act:
    """How it ended. `opened`: what the buyer has, by its place in the folder that the demo leaves."""

    exact: Answered
    noisy: Answered
    opened: dict[str, Opened]
    verifications: tuple[Verification, ...]
    audit: Audit

    @property
    def holds(self) -> bool:
        """Whether every check does, and the exact answer is that of the pooled records."""
        agrees = self.exact.apart is not None and self.exact.apart <= LARGEST_DIFFERENCE
        return agrees and self.audit.passed and all(each.passed for each in self.verifications)

    def document(self) -> dict[str, Any]:
        """The act in the JSON object of `--json`."""
        return {
            "analysis": self.exact.document(),
            "analysis_dp": self.noisy.document(),
            "audit": audit_document(self.audit),
        }


@dataclass(frozen=True)
class Cast:
    """Who plays. `permits`: the authority. `smallest_cell`: of the exact answer. `epsilon`: of the one with noise."""

    stage: Stage
    hospitals: Hospitals
    nodes: tuple[Node, ...]
    listed: tuple[Listed, ...]
    client: Client
    permits: Authority
    smallest_cell: int
    epsilon: float
    folder: Path
    say: Narrator


def perform(open_stage: Callable[[], Stage], split: Split | None, epsilon: float, folder: Path, say: Narrator) -> Act:
    """Plays the act in `folder`, which is made. `open_stage` is called once the records can be asked. `split`: None for the
    records that come along. Raises what any actor raises."""
    say.chapter("Several hospitals answer together, and none shows its records")
    folder.mkdir()
    asked, words = (split, GIVEN) if split else (lung_split(folder), LUNG)
    hospitals = read_split(asked)
    for line in hospitals.words:
        say.aside(line)
    say.step(f"{len(hospitals.rows)} hospitals, each of which declares the same three columns")
    stage = open_stage()
    cast = _gather(stage, hospitals, asked, words, epsilon, folder, say)
    with closing(ServingTogether(cast.nodes, lambda: max(time.time(), stage.ledger.now_s()), say)) as serving:
        exact = _buy(cast, serving, _offer(cast, exact=True), exact=True)
        noisy = _buy(cast, serving, _offer(cast, exact=False), exact=False)
    say.chapter("Proof")
    results = {place: folder / place for place in (EXACT, NOISY)}
    verifications = tuple(verify(result) for result in results.values())
    audit = judge(gather(stage.ledger, stage.store, lambda _: None, stage.from_block))
    checks = [check for verified in verifications for check in verified.checks] + list(audit.checks)
    held = sum(check.passed is True for check in checks)
    say.step(
        f"the buyer verified both results offline, the auditor the whole account: {held} of {len(checks)} checks hold"
    )
    opened = {place: Opened(result, _certificate(result)) for place, result in results.items()}
    return Act(exact, noisy, opened, verifications, audit)


def _certificate(result: Path) -> bytes:
    return Manifest.decode((result / MANIFEST).read_bytes()).certificate.encode()


def _gather(
    stage: Stage, hospitals: Hospitals, split: Split, words: Words, epsilon: float, folder: Path, say: Narrator
) -> Cast:
    count, permits, client = len(hospitals.rows), LocalSigner.random(), open_buyer(stage, folder / "buyer")
    rules = Rules(smallest_cell=split.wishes.smallest_cell, slot_s_at_least=1, units=frozenset(PrivacyUnit))
    nodes = open_nodes(stage, count, folder, rules)
    for account, euro_units in ((nodes[0].keys.signer, PURSE_UNITS), (client.signer, PURSE_UNITS), (permits, 0)):
        stage.fund(account.address, euro_units)
    say.step(f"{count} nodes with keys, a vault and an endpoint each, described on the ledger")
    paths, rows = hospitals.write(folder), [round_rows(len(rows)) for rows in hospitals.rows]
    total_micro = ORDERS_IN_BUDGET * largest_rho_micro(epsilon, delta_of(largest_delta_atto(sum(rows))))
    listed, gas = [], 0
    for node, path, declared in zip(nodes, paths, rows, strict=True):
        found = node.provider().list_dataset(path, hospitals.schema, words, total_micro, rows_declared=declared)
        opened = node.provider().open_epoch(found.dataset, total_micro, 1, "One exact order, for the demo.")
        listed.append(found)
        gas += found.receipt.gas + opened.gas
    say.step("each hospital took its own records into its vault, registered them, and allowed one exact order", gas)
    authority = Authority(stage.ledger, stage.store, permits)
    cell = split.wishes.smallest_cell
    return Cast(stage, hospitals, nodes, tuple(listed), client, authority, cell, epsilon, folder, say)


def _offer(cast: Cast, *, exact: bool) -> Offer:
    """An offer of all hospitals, led by the first, with the others' consents."""
    now_s, lead = cast.stage.ledger.now_s(), cast.nodes[0].pooling()
    share_bps, rest_bps = divmod(WHOLE_BPS, len(cast.nodes))
    parts = [Part(each.dataset, share_bps + rest_bps * (place == 0)) for place, each in enumerate(cast.listed)]
    conditions = Conditions(
        token=cast.stage.token,
        epsilon=None if exact else cast.epsilon,
        cost_units=COST_UNITS,
        margin_units=MARGIN_UNITS,
        bond_units=BOND_UNITS,
        authority=cast.permits.signer.address if exact else NOBODY,
        purposes=1 << RESEARCH if exact else 0,
        kind=Kind.ANALYSIS,
        unit=PrivacyUnit.PERSON if exact else UNIT,
    )
    draft = lead.draft(parts, conditions, now_s)
    consents = []
    for node in cast.nodes[1:]:
        pooling = node.pooling()
        consents.append(pooling.consent(pooling.asked(draft), now_s + DAY_S, now_s))
    published = lead.publish(draft, consents, now_s)
    cast.say.chapter("An exact answer, under a permit" if exact else "The same with noise")
    if not exact:
        cast.say.aside(
            f"the hospitals declare one row for each person, who so is at one of them: the privacy unit is {UNIT.text}. Somebody "
            "with rows at k of them would lose k * k times the rho, and nobody checks that there is none"
        )
    what = "exact answers, which ask for a permit" if exact else f"answers with noise, epsilon {cast.epsilon:g}"
    cast.say.step(
        f"the hospitals consented to an offer of {what}, and the first published it", gas_of(published.receipts)
    )
    return published.offer


def _buy(cast: Cast, serving: ServingTogether, offer: Offer, *, exact: bool) -> Answered:
    client, say, folder = cast.client, cast.say, cast.folder / (EXACT if exact else NOISY)
    if exact:
        _permit(cast, offer)
    cell = cast.smallest_cell if exact else None
    question = cast.hospitals.question if exact else cast.hospitals.question_with_noise
    questions = Questions((question,), threshold=THRESHOLD, slot_s=SLOT_S, smallest_cell=cell)
    purchase = client.draft_analysis(offer.id, questions)
    placed = client.place(purchase)
    order, taken = placed.order, sum(member.rho_micro for member in offer.members)
    say.step(f"the buyer placed order {order.hex()[:16]}", gas_of(placed.receipts), None if exact else taken)
    serving.wait_for(lambda: client.order(order).state is not OrderState.PLACED, "a delivery")
    if client.order(order).state is not OrderState.DELIVERED:
        raise Refused("expected a delivery, the order has ended without one; start again")
    client.receive(order)
    accepted = client.accept(order, check=False)
    say.step("the buyer checked every byte against the commitment and accepted", gas_of([accepted] if accepted else []))
    serving.wait_for(lambda: client.order(order).state is not OrderState.ACCEPTED, "the key")
    client.open(order, folder)
    settled = client.settle(order)
    say.step("the buyer opened the answer and settled", settled.gas)
    return _answered(cast, order, folder, exact=exact)


def _permit(cast: Cast, offer: Offer) -> None:
    now_s = cast.stage.ledger.now_s()
    request = Request(cast.client.signer.address, RESEARCH, now_s, now_s + 60 * DAY_S, (offer.id,))
    _, receipt = cast.permits.grant(cast.client.account(), request, PERMIT)
    cast.say.step(f"a demo authority permitted the buyer {purpose_text(RESEARCH)}", receipt.gas)


def _answered(cast: Cast, order: OrderId, folder: Path, *, exact: bool) -> Answered:
    guarantee = Guarantee.EXACT if exact else Guarantee.DIFFERENTIALLY_PRIVATE
    lane = lane_of(guarantee, cast.smallest_cell)
    unit = PrivacyUnit.PERSON if exact else UNIT
    setting = Setting(lane, len(cast.nodes), THRESHOLD, cast.smallest_cell if exact else None, unit)
    closings = [
        JointClosing.decode((node.folder / ORDERS / order.hex() / Name.TRANSCRIPT).read_bytes()) for node in cast.nodes
    ]
    (answer,) = decode((folder / ANSWERS).read_bytes())
    if answer["answer"] is None:
        raise Refused(
            f"expected numbers of {cast.smallest_cell} persons or more, got none that may be told; give a wider --grid"
        )
    curves = curves_of(answer["answer"])
    label = guarantee_words(setting)
    if not exact:
        label = f"{label}, epsilon {cast.epsilon:g}, {UNIT.text}"
    apart = largest_difference(curves, pooled_curves(cast.hospitals, curves.grid)) if exact else None
    if apart is not None:
        cast.say.step(f"lifelines, which holds all records, says the same; the largest difference is {apart:.0e}")
    return Answered(
        order=order,
        state=cast.client.order(order).state.word,
        setting=setting,
        label=label,
        by=cast.hospitals.question.by or "",
        seconds=max(each.milliseconds for each in closings) / 1_000,
        moved_bytes=sum(each.moved_bytes for each in closings),
        curves=curves,
        apart=apart,
    )
