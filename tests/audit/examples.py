"""Evidence about histories, from a contract that tells the truth, and about sales whose documents can be read."""

from collections.abc import Mapping

from marketplace.audit import standing
from marketplace.audit.audit import judge
from marketplace.audit.evidence import Answers, Evidence, Reading
from marketplace.content.cid import Cid
from marketplace.protocol.check import Check
from marketplace.protocol.licence import is_licensed

from ..certificate.examples import LICENCE, Sale
from ..protocol.history import TOKEN, History


def truthful(history: History, readings: Mapping[Cid, Reading] | None = None) -> Evidence:
    """What an auditor of `history` finds where the contract answers by its events and holds exactly what it owes."""
    account = history.account
    held = account.paid_in_units.get(TOKEN, 0) - account.paid_out_units.get(TOKEN, 0)
    answers = Answers(
        datasets={one: standing.expected_dataset(view) for one, view in account.datasets.items()},
        offers={one: standing.expected_offer(view) for one, view in account.offers.items()},
        orders={one: standing.expected_order(view, account) for one, view in account.orders.items()},
        credits=dict(account.credits),
        withdrawn={
            (offer, index): units
            for offer, view in account.offers.items()
            for index, units in enumerate(view.withdrawn_units)
        },
        balances={TOKEN: held},
        permits={one: standing.expected_permit(view) for one, view in account.permits.items()},
        covers={(one, subject): True for one, view in account.permits.items() for subject in view.grant.subjects},
        licensed={
            (one, view.order.buyer): is_licensed(account, one, view.order.buyer, history.now_s)
            for one, view in account.orders.items()
        },
        asked_at_s=history.now_s,
    )
    return Evidence(history.domain, tuple(history.events), account, answers, readings)


def check(number: int, evidence: Evidence) -> Check:
    """One check of the whole audit."""
    found = judge(evidence).checks[number - 1]
    assert found.number == number
    return found


def failing(evidence: Evidence) -> set[int]:
    """The numbers of the checks that failed."""
    return {one.number for one in judge(evidence).checks if one.passed is False}


def readings_of(sale: Sale) -> dict[Cid, Reading]:
    """Everything that a content store has of a sale."""
    documents = (sale.description.encode(), sale.specification.encode(), sale.manifest.encode(), LICENCE.encode())
    readings = {Cid.of_raw(data): Reading(found=True, content=data) for data in documents}
    return readings | {Cid.of_raw(sale.sealed): Reading(found=True)}
