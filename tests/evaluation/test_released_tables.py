"""Released scores of further tables: of which rows, at what sensitivity, for what rho, and what anyone can compute again."""

from dataclasses import replace
from fractions import Fraction

import pyarrow as pa
import pytest

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Specification, Workload
from marketplace.protocol.threshold import Threshold
from marketplace.scores.links import further_codes
from marketplace.scores.reference import references
from marketplace.scores.thresholds import check_thresholds
from node.evaluation import released
from node.evaluation.released import Pair, ReleasedScores, evaluate
from node.evaluation.words import score_words
from node.nesting import flat_tables, main_table
from node.noise.stream import NoiseStream
from tests.evaluation.tables import specification
from tests.synthesis.examples import ignore, never
from tests.synthesis.linked import Person, frames, nested, some_persons
from tests.vault.linked import LIVER

WISHES = replace(specification(None, 100), workload=Workload((("labs/test", "labs/value"), ("sex", "age"))))
RHO_MICRO, DECLARED = 40_000, 300
REAL, MADE = some_persons(LIVER, 300, 1), some_persons(LIVER, 100, 2)
FULL: Person = ((0, 3), (((7, 1, 20),) * 5,))
"""A person with as many tests as the bound lets be used."""


def without_numbers(table: pa.Table, schema: Schema) -> pa.Table:
    return flat_tables(table, schema)[1].select(list(schema.tables[0].schema.names))


def scored(real: list[Person], made: list[Person], rho_micro: int = RHO_MICRO, number: int = 0) -> ReleasedScores:
    tables = [nested(LIVER, persons) for persons in (real, made)]
    training, synthetic = (main_table(table, LIVER) for table in tables)
    pair = Pair(*(without_numbers(table, LIVER) for table in tables))
    noise = NoiseStream(number.to_bytes(32, "big"), b"scores")
    return evaluate(training, synthetic, LIVER, WISHES, DECLARED, rho_micro, noise, ignore, never, (pair,))


FOUND = scored(REAL, MADE)


def test_every_table_has_its_scores_and_the_workload_those_of_its_own_columns() -> None:
    names = [score.name for score in FOUND.scores]
    main = ["l1_1way", "l1_2way", "missingness", "workload"]
    labs = ["labs/l1_1way", "labs/l1_2way", "labs/l1_3way", "labs/missingness", "labs/workload"]
    assert names == [*main, *labs]
    by_name = {score.name: score for score in FOUND.scores}
    assert by_name["labs/missingness"].largest == 1 and by_name["labs/workload"].largest == 2
    assert score_words("labs/l1_2way", {}) == ("labs: Pairs of columns", "which values occur together")


@pytest.mark.parametrize("rho_micro", [43, 9_001, RHO_MICRO])
def test_all_tables_together_spend_exactly_what_was_offered(rho_micro: int) -> None:
    assert scored(REAL, MADE, rho_micro).rho_micro == rho_micro


def test_a_further_tables_stages_state_what_a_person_with_its_bound_of_rows_moves() -> None:
    sensitivities = {charge.name: charge.sensitivity for charge in FOUND.charges}
    assert sensitivities["rows"] == 1 and sensitivities["labs/rows"] == 5
    assert sensitivities["labs/l1_1way"] == 15 and sensitivities["labs/workload"] == 5
    assert sensitivities["workload"] == 1


def exact_of(real: list[Person], monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What each stage is given to make private, all tables being divided by the same numbers of rows."""
    seen: dict[str, int] = {}

    def telling(exact, sensitivity, name, rho_micro, noise):  # type: ignore[no-untyped-def]
        (seen[name],) = exact
        charge = released.Charge(name, rho_micro, sensitivity, Fraction(1))
        return ([300] if name.endswith("rows") else list(exact)), charge

    monkeypatch.setattr(released, "release", telling)
    scored(real, MADE)
    return seen


def test_a_person_with_as_many_rows_as_the_bound_moves_no_score_beyond_its_sensitivity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sensitivities = {charge.name: charge.sensitivity for charge in FOUND.charges}
    without, within = exact_of(REAL, monkeypatch), exact_of([*REAL, FULL], monkeypatch)
    moved = {name: abs(within[name] - without[name]) for name in without}
    assert all(far <= sensitivities[name] for name, far in moved.items())
    assert moved["labs/rows"] == 5 and max(far for name, far in moved.items() if name.startswith("labs/l1")) > 3


def test_floors_and_ceilings_follow_from_the_tables_alone() -> None:
    tables = frames(nested(LIVER, MADE), LIVER)
    main = tables[0].loc[:, list(LIVER.names)]
    further = further_codes(tables, LIVER)
    beside = references(main, LIVER, WISHES.workload, WISHES.digest, DECLARED, None, further)
    assert {each.name: (each.floor, each.ceiling) for each in beside} == {
        score.name: (score.floor, score.ceiling) for score in FOUND.scores
    }


def test_of_a_table_without_synthetic_rows_nothing_is_released() -> None:
    found = scored(REAL, [(fixed, ((),)) for fixed, _ in MADE])
    assert not [charge.name for charge in found.charges if charge.name.startswith("labs/")]
    assert found.rho_micro == RHO_MICRO


def test_a_threshold_may_be_on_a_further_tables_score() -> None:
    def wishes(score: str) -> Specification:
        return replace(WISHES, thresholds=(Threshold(score, "0.5"),))

    check_thresholds(LIVER, wishes("labs/l1_2way"))
    with pytest.raises(Invalid, match="expected a threshold on one of the scores"):
        check_thresholds(LIVER, wishes("stays/l1_2way"))
    with pytest.raises(Invalid, match="or labs/l1_2way"):
        wishes("labs/L1")
