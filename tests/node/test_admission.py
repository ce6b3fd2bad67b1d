"""Every objection that a node can have, each told from declared facts alone."""

import importlib.util
import re
from copy import copy
from dataclasses import fields, replace
from pathlib import Path

import pytest

from marketplace.protocol.constraints import Condition
from marketplace.protocol.description import Description, round_rows
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.offer import Guarantee, Kind, Member, Offer
from marketplace.protocol.order import Order, pack_versions
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Curve, Specification, Workload
from marketplace.protocol.states import DeclineReason
from node.admission import (
    Application,
    Holding,
    Rules,
    StockApplication,
    objection,
    objection_to_stock,
    objection_to_terms,
    prediction_of,
    unpredicted,
)
from node.objection import Objection
from node.spending import LEAST_EVALUATE_MICRO
from node.synthesis.generators import GENERATORS
from scripts.benchmarks.public import public_table
from tests.node.examples import DESCRIPTION as FEW
from tests.node.examples import HIDDEN, PERMITTED, offer, order, specification
from tests.protocol.examples import address
from tests.vault.linked import CLINIC, LIVER

ROWS_DECLARED = 4_000
DESCRIPTION = replace(FEW, rows_declared=ROWS_DECLARED)
COMMITMENT = b"c" * 32
HOLDING = Holding(1, COMMITMENT, 20_000)
APPLICATION = Application(order(), offer(), specification(), DESCRIPTION, COMMITMENT, HOLDING)
POOL = replace(offer(), members=(*offer().members, Member(DatasetId(b"e" * 32), address(3), 0, 20_000)))
WORKLOAD = Workload((("sex", "age"),))
CURVE = Workload((), (Curve("age", "test"),))
ONLY_MEN = (Condition("sex", values=("male",)),)
OTHER_WISHES = "the stock was made by other wishes; order a new result for them"
OF_ONE_SALE = {"offer", "slot_s", "sealing_key", "nonce"}
OF_THE_RESULT = {field.name for field in fields(Specification)} - OF_ONE_SALE - {"attestation"}
STOCK = StockApplication(
    order(versions=0), offer(stock=b"r" * 32), specification(rows=70), specification(rows=70), kept=True, flawed=False
)


def test_an_order_that_asks_for_nothing_unusual_is_let_in() -> None:
    assert objection(APPLICATION, Rules()) is None


def test_the_budget_may_be_spent_to_the_last_micro_rho() -> None:
    assert objection(replace(APPLICATION, holding=replace(HOLDING, left_micro=20_000)), Rules()) is None
    found = objection(replace(APPLICATION, holding=replace(HOLDING, left_micro=19_999)), Rules())
    assert found == Objection(
        DeclineReason.BUDGET, "the dataset's budget in this node's own account does not pay for the order"
    )


def test_a_named_buyer_is_let_in() -> None:
    assert objection(APPLICATION, Rules(buyers=frozenset({address(2)}))) is None


EVERY = Rules(generators=frozenset(GENERATORS))
EXACT = offer(rho_micro=0, guarantee=Guarantee.EXACT, delta_atto=0, **PERMITTED)
NEW = Rules(generators=frozenset({"new"}))
SPECIFICATION, RULES, BUDGET, RECORDS = (
    DeclineReason.SPECIFICATION,
    DeclineReason.RULES,
    DeclineReason.BUDGET,
    DeclineReason.RECORDS,
)


@pytest.mark.parametrize(
    ("changes", "rules", "code", "words"),
    [
        ({"offer": offer(kind=Kind.ANALYSIS)}, Rules(), RULES, "makes synthetic twins"),
        ({"offer": offer(guarantee=Guarantee.EXACT)}, Rules(), RULES, "under an authority's permit only"),
        ({"offer": EXACT, "holding": HOLDING}, Rules(), BUDGET, "allowance of exact orders"),
        ({"offer": EXACT, "holding": None}, Rules(), RECORDS, "does not hold the dataset"),
        ({"offer": replace(EXACT, members=POOL.members)}, Rules(), RULES, "needs several"),
        ({"specification": specification(generator="neural-exact")}, EVERY, RULES, "promises no privacy"),
        ({"offer": POOL}, Rules(), RULES, "an order of this pool needs several"),
        ({"offer": POOL, "holding": None}, Rules(), RULES, "an order of this pool needs several"),
        ({}, Rules(epsilon_at_most=0.5), RULES, "an epsilon of at most 0.5"),
        ({"holding": Holding(2, COMMITMENT, 20_000)}, Rules(), RECORDS, "holds version 2"),
        ({"order": order(versions=pack_versions([2]))}, Rules(), RECORDS, "holds version 1"),
        ({"holding": None}, Rules(), RECORDS, "does not hold the dataset"),
        ({"commitment": b"x" * 32}, Rules(), RECORDS, "does not hold these records"),
        ({}, Rules(buyers=frozenset()), RULES, "sells to named buyers only"),
        ({"specification": specification(attestation="Not us.")}, Rules(), SPECIFICATION, "lacks the attestation"),
        ({"specification": specification(offer=b"x" * 32)}, Rules(), SPECIFICATION, "is for another offer"),
        ({"specification": specification(rows=10 * ROWS_DECLARED + 1)}, Rules(), RULES, "at most 10 synthetic rows"),
        ({"specification": specification(slot_s=4)}, Rules(slot_s_at_least=5), RULES, "slots last at least 5 s"),
        ({"specification": specification(slot_s=3_601)}, Rules(), SPECIFICATION, "delivery slot does not fit"),
        ({"specification": specification(workload=Workload((("height",),)))}, Rules(), SPECIFICATION, "of the columns"),
        ({"specification": specification(workload=Workload((("sex",) * 2,)))}, Rules(), SPECIFICATION, "different"),
        ({"specification": specification(generator="neural")}, Rules(), RULES, "other generators: private-marginals"),
        ({}, Rules(generators=frozenset()), RULES, "other generators: none"),
        ({"specification": specification(generator="new")}, NEW, SPECIFICATION, "no generator of this name"),
        ({"holding": replace(HOLDING, left_micro=0)}, Rules(), BUDGET, "budget in this node's own account"),
        ({"offer": offer(rho_micro=LEAST_EVALUATE_MICRO)}, Rules(), SPECIFICATION, "for a result and its scores"),
        ({"offer": offer(rho_micro=LEAST_EVALUATE_MICRO + 1)}, Rules(), SPECIFICATION, "expected a rho of at least"),
    ],
)
def test_what_cannot_be_served_meets_an_objection(
    changes: dict[str, object], rules: Rules, code: DeclineReason, words: str
) -> None:
    found = objection(replace(APPLICATION, **changes), rules)  # type: ignore[arg-type]
    assert found is not None
    assert found.code is code
    assert words in found.words
    assert "\n" not in found.words


def test_few_records_meet_an_objection_that_says_how_many_would_do() -> None:
    few = replace(APPLICATION, description=FEW)
    found = objection(few, Rules())
    assert found is not None
    assert found.code is RULES
    words = (
        r"worse than a shuffle of the columns: l1_3way 0\.\d\d where a shuffle has 0\.\d\d; with about ([\d,]+) records"
    )
    said = re.search(words, found.words)
    assert said, found.words
    needed = int(said[1].replace(",", ""))
    assert FEW.rows_declared < needed <= ROWS_DECLARED
    pooled = replace(FEW, rows_declared=round_rows(needed))
    assert objection(replace(few, description=pooled), Rules()) is None


@pytest.mark.parametrize(("name", "rows", "let_in"), [("lung", 230, False), ("prostate", 14_000, True)])
def test_of_real_tables_at_epsilon_one_lung_is_declined_and_prostate_let_in(name: str, rows: int, let_in: bool) -> None:
    schema = public_table(name, Path("no such folder")).schema
    rho_micro = largest_rho_micro(1.0, delta_of(largest_delta_atto(rows)))
    asked = replace(
        APPLICATION,
        description=replace(DESCRIPTION, schema=schema, rows_declared=rows),
        specification=specification(rows=rows),
        offer=offer(rho_micro=rho_micro),
        holding=replace(HOLDING, left_micro=rho_micro),
    )
    found = objection(asked, Rules())
    assert (found is None) is let_in
    assert found is None or "worse than a shuffle" in found.words


def test_a_provider_may_serve_whatever_is_expected_of_few_records() -> None:
    assert objection(replace(APPLICATION, description=FEW), Rules(below_floor=True)) is None


def test_of_a_generator_that_was_never_fitted_nothing_is_expected() -> None:
    unknown = specification(generator="unheard-of")
    assert prediction_of(offer(), 0, unknown, FEW) is None
    assert prediction_of(offer(), 0, specification(), FEW) is not None


@pytest.mark.parametrize(
    ("terms", "generator", "schema", "words"),
    [
        (EXACT, "private-marginals", FEW.schema, "an exact result has none"),
        (offer(), "neural", FEW.schema, "no runs of neural on public tables"),
        (offer(), "private-marginals", LIVER, "no runs of private-visits on public tables"),
    ],
)
def test_where_nothing_is_foretold_it_is_said_why(terms: Offer, generator: str, schema: Schema, words: str) -> None:
    asked, described = specification(generator=generator), replace(FEW, schema=schema)
    assert words in (unpredicted(terms, asked, described) or "")
    assert prediction_of(terms, 0, asked, described) is None
    assert unpredicted(offer(), specification(), FEW) is None


@pytest.mark.parametrize("generator", ["private-marginals", "neural-exact"])
def test_an_exact_order_is_let_in_while_the_allowance_lasts_and_asks_nothing_of_the_budget(generator: str) -> None:
    asked = replace(APPLICATION, offer=EXACT, specification=specification(generator=generator))
    spent = replace(HOLDING, left_micro=0)
    assert objection(replace(asked, holding=replace(spent, exact_left=1)), EVERY) is None
    found = objection(replace(asked, holding=spent), EVERY)
    assert found is not None and found.code is BUDGET


def test_a_generator_under_a_licence_is_sold_only_where_the_licence_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    holding = replace(HOLDING, exact_left=1)
    asked = replace(APPLICATION, offer=EXACT, specification=specification(generator="sdv-copula"), holding=holding)
    found = objection(asked, EVERY)
    assert found == Objection(RULES, "this generator is not for sale here without a licence, BUSL-1.1")
    free = replace(EXACT, head=replace(EXACT.head, cost_units=0, margin_units=0))
    declared = replace(EVERY, licences=frozenset({"BUSL-1.1"}))
    for served, rules in ((replace(asked, offer=free), EVERY), (asked, declared)):
        beyond = objection(served, rules)
        assert beyond is not None and beyond.code is SPECIFICATION and "the library sdv" in beyond.words


@pytest.mark.parametrize(("generator", "schema"), [("sdv-par", CLINIC), ("sdv-hma", LIVER)])
def test_rows_under_persons_of_a_licensed_library_are_exact_and_sold_only_under_the_licence(
    generator: str, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    linked = replace(DESCRIPTION, schema=schema)
    asked = replace(APPLICATION, description=linked, specification=specification(generator=generator))
    assert objection(asked, EVERY) == Objection(
        RULES, "this generator promises no privacy, it serves exact offers only"
    )
    exact = replace(asked, offer=EXACT, holding=replace(HOLDING, exact_left=1))
    assert objection(exact, EVERY) == Objection(
        RULES, "this generator is not for sale here without a licence, BUSL-1.1"
    )
    licensed = objection(exact, replace(EVERY, licences=frozenset({"BUSL-1.1"})))
    assert licensed is not None and "the library sdv" in licensed.words


def test_who_serves_the_default_generator_serves_the_linked_one_under_either_name() -> None:
    linked = replace(APPLICATION, description=replace(DESCRIPTION, schema=LIVER))
    for name in ("private-marginals", "private-visits"):
        assert objection(replace(linked, specification=specification(generator=name)), Rules()) is None
    plain = replace(APPLICATION, specification=specification(generator="private-visits"))
    found = objection(plain, EVERY)
    assert found is not None and "for rows of one table without a timeline" in found.words


def test_no_exact_offer_of_several_datasets_is_consented_to() -> None:
    found = objection_to_terms(replace(EXACT, members=POOL.members), Rules(), 1)
    assert found == Objection(RULES, "this node makes exact results of its own records only")


def test_terms_are_judged_without_an_order_and_in_a_pool_too() -> None:
    assert objection_to_terms(POOL, Rules(), 1) is None
    assert objection_to_terms(POOL, Rules(epsilon_at_most=0.5), 1) is not None


# ---------------------------------------------------------------------------------------------------------------- stock


def test_stock_is_sold_to_whoever_asks_for_what_it_is() -> None:
    assert objection_to_stock(STOCK, Rules()) is None
    made = replace(STOCK, earlier=specification(rows=70, workload=WORKLOAD))
    assert objection_to_stock(made, Rules()) is None
    assert objection_to_stock(replace(made, specification=made.earlier), Rules()) is None


def test_stock_of_rows_that_meet_conditions_is_sold_to_whoever_asks_for_just_them() -> None:
    made = replace(STOCK, earlier=specification(rows=70, only=ONLY_MEN))
    assert objection_to_stock(replace(made, specification=specification(rows=70, only=ONLY_MEN)), Rules()) is None
    for only in ((), (Condition("sex", values=("female",)),), (*ONLY_MEN, *ONLY_MEN)):
        found = objection_to_stock(replace(made, specification=specification(rows=70, only=only)), Rules())
        assert found == Objection(SPECIFICATION, OTHER_WISHES)


@pytest.mark.parametrize("field", sorted(OF_THE_RESULT))
def test_every_wish_of_which_a_result_is_made_is_compared_with_the_stock(field: str) -> None:
    other = copy(STOCK.specification)
    object.__setattr__(other, field, "of another kind")
    found = objection_to_stock(replace(STOCK, specification=other), Rules())
    assert found is not None
    assert found.code is SPECIFICATION


@pytest.mark.parametrize(
    ("changes", "rules", "code", "words"),
    [
        ({"specification": specification(rows=71)}, Rules(), SPECIFICATION, "the stock has 70 rows"),
        ({"specification": specification(rows=70, workload=WORKLOAD)}, Rules(), SPECIFICATION, "another workload"),
        ({"specification": specification(rows=70, generator="x")}, Rules(), SPECIFICATION, "another generator"),
        ({"specification": specification(rows=70, workload=CURVE)}, Rules(), SPECIFICATION, "another workload"),
        ({"specification": specification(rows=70, only=ONLY_MEN)}, Rules(), SPECIFICATION, "made by other wishes"),
        ({"specification": specification(rows=70, offer=b"x" * 32)}, Rules(), SPECIFICATION, "for another offer"),
        ({"specification": specification(rows=70, attestation="No.")}, Rules(), SPECIFICATION, "the attestation"),
        ({"specification": specification(rows=70, slot_s=3_601)}, Rules(), SPECIFICATION, "slot does not fit"),
        ({}, Rules(slot_s_at_least=601), RULES, "slots last at least 601 s"),
        ({}, Rules(buyers=frozenset()), RULES, "named buyers only"),
        ({"flawed": True}, Rules(), RULES, "wrong byte"),
        ({"kept": False}, Rules(), RECORDS, "no longer keeps the stock"),
    ],
)
def test_what_is_not_in_stock_meets_an_objection(
    changes: dict[str, object], rules: Rules, code: DeclineReason, words: str
) -> None:
    found = objection_to_stock(replace(STOCK, **changes), rules)  # type: ignore[arg-type]
    assert found is not None
    assert found.code is code
    assert words in found.words


def test_nothing_that_was_read_from_records_can_reach_the_decision() -> None:
    declared = {Order, Offer, Specification, Description, bytes, int, Holding | None}
    assert {field.type for field in fields(Application)} == declared
    assert {field.type for field in fields(Holding)} == {int, bytes}
    assert HIDDEN not in repr(APPLICATION)
