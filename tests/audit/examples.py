"""Evidence about histories, from a contract that tells the truth, and about sales whose documents can be read."""

from collections.abc import Mapping

from hypothesis import strategies as st

from marketplace.audit import standing
from marketplace.audit.audit import judge
from marketplace.audit.evidence import Answers, Evidence, Reading
from marketplace.content.cid import Cid
from marketplace.protocol.check import Check

from ..certificate.examples import LICENCE, Sale
from ..protocol.history import TOKEN, History
from ..protocol.test_account import lived

LIVES = st.randoms(use_true_random=False).map(lived)


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
