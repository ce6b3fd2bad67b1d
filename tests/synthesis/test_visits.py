"""Private visits: what a person moves, what is paid, and that rows hang together under persons in every table."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.constraints import Condition, Order, Sum
from marketplace.protocol.schema import Category, Number, Schema, Table, Timeline
from marketplace.protocol.specification import Workload
from marketplace.scores.constraints import keep_all
from marketplace.scores.links import link_faults
from node.evaluation.links import link_scores, shuffled
from node.nesting import rows_of, strands_of
from node.noise.gaussian import discrete_gaussian
from node.synthesis import following, measuring, release
from node.synthesis.generator import Stopped
from node.synthesis.marginals import PrivateMarginals
from node.synthesis.measurements import Measurements, spent_rho_micro
from node.synthesis.visits import NAME, PrivateVisits
from tests.noise.goodness import as_close_as_paid
from tests.protocol.examples import linked_schemas
from tests.synthesis import checks
from tests.synthesis.examples import WIDE, ignore, measured, never, specification, stream
from tests.synthesis.examples import rows_of as plain_rows
from tests.synthesis.linked import Person, frames, nested, recording, some_persons, visited
from tests.vault.linked import CLINIC, LIVER

RHO_MICRO, RICH_MICRO = 30_000, 10**7
LOUD_MICRO = 3_000_000
"""So much that 20,000 draws tell half of every stage's noise from all of it."""
SEED = bytes(range(32))
LIVERS, CLINICS = some_persons(LIVER, 150), some_persons(CLINIC, 150)
OF = {"LIVER": (LIVER, LIVERS), "CLINIC": (CLINIC, CLINICS)}
WISHES = {
    "LIVER": Workload((("labs/test", "labs/value"), ("sex", "age"))),
    "CLINIC": Workload((("sex", "bilirubin", "edema"), ("day", "edema"))),
}
LAYOUTS = {
    name: visited(schema, nested(schema, persons), RHO_MICRO, 0, WISHES[name]) for name, (schema, persons) in OF.items()
}

BOUND_ROWS: dict[str, Person] = {
    "LIVER": ((0, 3), (((7, 1, 20),) * 5,)),
    "CLINIC": ((1, 40), (tuple((day, 12, 1) for day in range(4)),)),
}
"""A person of each schema with as many rows as the bound lets be used, as alike as can be."""


def stated(schema: Schema, stage: str) -> int:
    """How far one person can move a stage, in L2: told from the declaration alone."""
    if stage.startswith("persons/"):
        return 1
    bounds = {strand.name: strand.schema.rows_per_person for strand in strands_of(schema)}
    _, name, kind, _ = stage.split("/", 3)
    return bounds[name] - (kind != "cells")


def noted(
    name: str, persons: list[Person], layout: Measurements | None = None, rho_micro: int = RHO_MICRO
) -> dict[str, np.ndarray]:
    schema, _ = OF[name]
    with pytest.MonkeyPatch.context() as patch:
        found = recording(patch, layout or LAYOUTS[name])
        visited(schema, nested(schema, persons), rho_micro, 0, WISHES[name])
        return dict(found)


def whole_person(name: str) -> list[checks.Neighbours]:
    """Every stage on records without and with a whole person who has as many rows as the bound: the count moved furthest."""
    schema, persons = OF[name]
    layout = visited(schema, nested(schema, persons), LOUD_MICRO, 0, WISHES[name])
    without, within = (noted(name, some, layout, LOUD_MICRO) for some in (persons, [*persons, BOUND_ROWS[name]]))
    found = []
    for histogram in layout.histograms:
        stage = histogram.stage.removeprefix("persons/")
        there, here = without[stage], within[stage]
        cell = int(np.argmax(here - there))
        if here[cell] > there[cell]:
            found.append(checks.Neighbours(histogram, int(here[cell]), int(there[cell])))
    return found


TRUE = {name: noted(name, persons) for name, (_, persons) in OF.items()}


def moved(name: str, person: Person) -> dict[str, int]:
    """The square of how far a person more moves each stage's counts, or any of its scores."""
    there = noted(name, [*OF[name][1], person])
    far = {}
    for stage, counts in TRUE[name].items():
        difference = there[stage] - counts
        far[stage] = int(np.abs(difference).max() ** 2) if "choice" in stage else int((difference**2).sum())
    return far


def full(stage: str) -> str:
    return stage if stage.startswith("rows/") else f"persons/{stage}"


@pytest.mark.parametrize("name", OF)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 10**6))
def test_a_person_with_rows_in_all_tables_moves_no_stage_beyond_its_sensitivity(name: str, number: int) -> None:
    schema, _ = OF[name]
    (person,) = some_persons(schema, 1, number)
    assert set(map(full, TRUE[name])) == {stage.stage for stage in LAYOUTS[name].stages}
    assert all(far <= stated(schema, full(stage)) ** 2 for stage, far in moved(name, person).items())


@pytest.mark.parametrize("name", OF)
def test_a_person_whose_rows_are_alike_reaches_the_sensitivity_of_rows_and_transitions(name: str) -> None:
    schema, _ = OF[name]
    far = moved(name, BOUND_ROWS[name])
    (strand,) = strands_of(schema)
    bound = strand.schema.rows_per_person
    assert max(square for stage, square in far.items() if "/cells/" in stage) == bound**2
    assert max(square for stage, square in far.items() if "/gap/" in stage) == (bound - 1) ** 2
    assert max(square for stage, square in far.items() if not stage.startswith("rows/")) == 1


@pytest.mark.parametrize("name", OF)
def test_every_stage_states_the_sensitivity_that_the_declaration_implies(name: str) -> None:
    assert {stage.stage: stage.sensitivity for stage in LAYOUTS[name].stages} == {
        stage.stage: stated(OF[name][0], stage.stage) for stage in LAYOUTS[name].stages
    }


@pytest.mark.parametrize("name", OF)
def test_every_draw_of_persons_and_rows_is_a_stage_that_is_charged(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        drawn = recording(patch)
        made = visited(OF[name][0], nested(*OF[name]), RHO_MICRO, 0, WISHES[name])
    assert set(map(full, drawn)) == {stage.stage for stage in made.stages} and len(drawn) == len(made.stages) > 20


@pytest.mark.parametrize("name", OF)
@pytest.mark.parametrize("rho_micro", [5_001, RHO_MICRO, 3_000_017])
def test_the_stages_cost_exactly_what_was_given(name: str, rho_micro: int) -> None:
    schema, persons = OF[name]
    stages = visited(schema, nested(schema, persons[:60]), rho_micro).stages
    assert checks.charge_covers_cost(stages, rho_micro)
    assert spent_rho_micro(stages) == rho_micro


@pytest.mark.parametrize("name", OF)
def test_20000_draws_of_each_stage_on_neighbours_that_differ_by_a_whole_person_are_as_close_as_was_paid(
    name: str,
) -> None:
    found = whole_person(name)
    assert len(found) > 0.9 * len(LAYOUTS[name].histograms)
    reached = [stage for stage in found if stage.here - stage.there == stage.histogram.sensitivity]
    assert {stage.histogram.stage.split("/")[2] for stage in reached} >= {"cells", "gap", "marginal"}
    assert all(stage.is_as_paid() for stage in found)


@pytest.mark.parametrize("name", OF)
def test_half_the_noise_in_any_stage_of_persons_and_rows_is_rejected_with_a_power_of_999_in_1000(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = [stage for stage in whole_person(name) if stage.here - stage.there == stage.histogram.sensitivity]
    monkeypatch.setattr(release, "discrete_gaussian", lambda stage, s2, size: discrete_gaussian(stage, s2 / 4, size))
    for stage in reached:
        one, other = stage.drawn()
        middle = (stage.here + stage.there) / 2
        assert stage.power(weakness=2) > 0.999
        assert not as_close_as_paid(one > middle, other > middle, stage.histogram.rho_micro)


def test_20000_draws_of_each_choice_of_pairs_are_as_close_as_was_paid_and_at_twice_the_epsilon_not() -> None:
    signs = tuple(Category(f"sign {number}", ("no", "some", "much"), missing=False) for number in range(3))
    day = Number("day", Decimal(0), Decimal(50), Decimal(1), missing=False)
    schema = Schema((*signs, day), "patient", 3, timeline=Timeline("day", strict=True))
    choices = visited(schema, nested(schema, some_persons(schema, 1_000)), LOUD_MICRO).choices
    assert len([choice for choice in choices if choice.stage.startswith("rows/")]) > 3
    for choice in choices:
        drawing = stream().stage(choice.stage)
        assert checks.choice_is_as_paid(drawing, choice.epsilon, choice.rho_micro)
        assert not checks.choice_is_as_paid(drawing, 2 * choice.epsilon, choice.rho_micro)


@pytest.mark.parametrize("name", OF)
def test_records_reach_nothing_but_the_two_mechanisms(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schema, persons = OF[name]
    honest_histogram, honest_choice = measuring.noisy_histogram, measuring.chosen_marginal

    def deaf_histogram(noise, stage, columns, counts, bound, rho_micro):  # type: ignore[no-untyped-def]
        return honest_histogram(noise, stage, columns, np.arange(len(counts)) % 50 + 20, bound, rho_micro)

    def deaf_choice(noise, stage, names, candidates, scores, *others):  # type: ignore[no-untyped-def]
        return honest_choice(noise, stage, names, candidates, [0] * len(scores), *others)

    for module in (measuring, following):
        monkeypatch.setattr(module, "noisy_histogram", deaf_histogram)
        monkeypatch.setattr(module, "chosen_marginal", deaf_choice)
    one, other = (visited(schema, nested(schema, some), RHO_MICRO).encode() for some in (persons[:20], persons[20:]))
    assert one == other


@pytest.mark.parametrize("name", OF)
def test_an_outlier_changes_first_cells_only_where_it_stands(name: str) -> None:
    """Under one key the released counts of neighbours differ by the outlier's own rows: no domain and no total is theirs."""
    schema, persons = OF[name]
    (strand,) = strands_of(schema)
    rows = tuple(
        tuple(column.size - 1 if column.name != "day" else day for column in strand.schema.columns) for day in range(4)
    )
    outlier = (tuple(column.size - 1 for column in schema.columns[:2]), (rows,))
    here, there = (
        visited(schema, nested(schema, persons), RHO_MICRO),
        visited(schema, nested(schema, [*persons, outlier]), RHO_MICRO),
    )
    there_by = {histogram.stage: histogram for histogram in there.histograms}
    first = [
        histogram
        for histogram in here.histograms
        if histogram.stage.endswith("/0") and "marginal" not in histogram.stage
    ]
    assert len(first) > 8
    for histogram in first:
        difference = np.array(there_by[histogram.stage].counts) - np.array(histogram.counts)
        assert len(difference) == len(histogram.counts) and (difference >= 0).all()
        assert difference.sum() <= stated(schema, histogram.stage)


@settings(max_examples=6, deadline=None)
@given(schema=linked_schemas(), number=st.integers(0, 99), rich=st.booleans())
def test_in_every_table_person_numbers_hold_time_goes_on_and_no_person_has_more_rows_than_the_bound(
    schema: Schema, number: int, rich: bool
) -> None:
    generator = PrivateVisits()
    table = nested(schema, some_persons(schema, 25, number))
    measurements = visited(schema, table, RICH_MICRO if rich else 400_000, number)
    made = generator.synthesise(generator.decode(measurements.encode()), schema, 30, SEED, ignore, never)
    assert made.schema == table.schema and made.num_rows == 30
    tables = frames(made, schema)
    assert list(link_faults(tables, schema)) == []
    assert tables[0].iloc[:, 0].nunique() == 30
    for each, declared in zip(tables, (schema, *(table.schema for table in schema.tables)), strict=True):
        for column in declared.columns:
            codes = each[column.name]
            assert codes.between(-1 if column.missing else 0, column.size - 1).all()


@pytest.mark.parametrize("name", OF)
def test_constraints_hold_in_every_row_of_every_table(name: str) -> None:
    schema, persons = OF[name]
    if name == "LIVER":
        labs = schema.tables[0]
        constrained = replace(labs.schema, constraints=(Order("days", "value"),))
        schema = replace(schema, tables=(replace(labs, schema=constrained),))
    made = synthesised(schema, persons, RHO_MICRO, rows=200)
    for table, declared in zip(frames(made, schema), (schema, *(each.schema for each in schema.tables)), strict=True):
        assert len(table) > 50
        assert keep_all(declared, (), {column: table[column].to_numpy() for column in declared.names}).all()


def test_time_ends_at_its_last_point_and_never_stands_still_there() -> None:
    """Of five rows on six days nearly every person comes to the end of time."""
    day = Number("day", Decimal(0), Decimal(5), Decimal(1), missing=False)
    schema = Schema((day, Category("ill", ("no", "yes"), False)), "patient", 5, timeline=Timeline("day", strict=True))
    (table,) = made = frames(synthesised(schema, some_persons(schema, 100), RHO_MICRO, rows=200), schema)
    assert list(link_faults(made, schema)) == []
    assert (table["day"] == 5).sum() > 40 and len(table) > 300


def test_totals_are_the_sums_of_their_parts_in_every_visit() -> None:
    def part(name: str, upper: int) -> Number:
        return Number(name, Decimal(0), Decimal(upper), Decimal(1), missing=False)

    schema = Schema(
        (part("left", 5), part("right", 5), part("both", 10), part("day", 50)),
        "patient",
        3,
        (Sum(("left", "right"), "both"),),
        Timeline("day", strict=True),
    )

    def visit(n: int, v: int) -> tuple[int, ...]:
        return (n + v) % 6, n % 6, (n + v) % 6 + n % 6, 10 * v + n % 5

    persons: list[Person] = [((), (tuple(visit(n, v) for v in range(3)),)) for n in range(80)]
    (table,) = frames(synthesised(schema, persons, RICH_MICRO, rows=60), schema)
    assert len(table) > 120 and (table["left"] + table["right"] == table["both"]).all()


def synthesised(schema: Schema, persons: list[Person], rho_micro: int, rows: int, only=()):  # type: ignore[no-untyped-def]
    generator, wishes = PrivateVisits(), replace(specification(rows=rows), workload=Workload(), only=only)
    measurements = generator.measure(nested(schema, persons), schema, wishes, rho_micro, stream(), ignore, never)
    return generator.synthesise(measurements, schema, rows, SEED, ignore, never, only)


@pytest.mark.parametrize("name", [pytest.param("LIVER", marks=pytest.mark.slow), "CLINIC"])
def test_without_much_noise_rows_follow_each_other_as_they_do_in_the_records(name: str) -> None:
    schema, _ = OF[name]
    real = nested(schema, some_persons(schema, 400, 2))
    generator = PrivateVisits()
    made = generator.synthesise(visited(schema, real, RICH_MICRO), schema, 400, SEED, ignore, never)
    (scores,), (floor,) = (
        link_scores(real, other, schema) for other in (made, shuffled(real, schema, np.random.default_rng(1)))
    )
    assert scores.cardinality < 0.25 and scores.gap < 0.3
    assert scores.following < 0.6 * floor.following
    assert scores.correlation < floor.correlation / 3


def test_conditions_narrow_the_persons() -> None:
    made = synthesised(LIVER, LIVERS, RHO_MICRO, 50, (Condition("sex", values=("male",)),))
    main, _ = frames(made, LIVER)
    assert (main["sex"] == 1).all() and len(main) == 50


def test_a_table_of_one_row_for_a_person_at_most_needs_no_timeline() -> None:
    stay = Schema((Category("ward", ("a", "b"), False), Category("acute", ("no", "yes"), True)), "patient", 1)
    schema = replace(LIVER, tables=(Table("stays", stay), *LIVER.tables))
    made = synthesised(schema, some_persons(schema, 80), RICH_MICRO, 80)
    stays = rows_of(made, strands_of(schema)[0])
    assert set(stays.counts.tolist()) == {0, 1}
    assert list(link_faults(frames(made, schema), schema)) == []


@pytest.mark.parametrize("name", OF)
def test_records_of_nobody_and_of_one_person_are_measured_and_drawn_like_any_others(name: str) -> None:
    """Whether and how a result is made tells nothing of how many persons there are."""
    schema, _ = OF[name]
    for persons in ([], [BOUND_ROWS[name]]):
        made = synthesised(schema, persons, RHO_MICRO, 20)
        assert made.num_rows == 20 and list(link_faults(frames(made, schema), schema)) == []


def test_the_same_measurements_and_seed_make_the_same_tables() -> None:
    generator = PrivateVisits()
    one, other = (generator.synthesise(LAYOUTS["LIVER"], LIVER, 40, SEED, ignore, never) for _ in range(2))
    assert one.equals(other)
    assert not one.equals(generator.synthesise(LAYOUTS["LIVER"], LIVER, 40, bytes(32), ignore, never))


def test_bad_input_is_refused_before_any_noise() -> None:
    generator = PrivateVisits()
    with pytest.raises(Invalid, match="expected a schema with a timeline or several tables"):
        generator.check(WIDE, specification(), RHO_MICRO)
    with pytest.raises(Invalid, match="condition on 'day': expected a column that is the same in all rows of a person"):
        generator.check(CLINIC, replace(specification(), only=(Condition("day", upper=Decimal(50)),)), RHO_MICRO)
    with pytest.raises(Invalid, match=r"expected one of the columns sex, age; got 'labs\.value'"):
        generator.check(LIVER, specification(("sex", "labs.value")), RHO_MICRO)
    with pytest.raises(Refused, match="expected a rho of at least"):
        generator.check(LIVER, specification(), 300)
    with pytest.raises(Refused, match="expected a rho that pays for persons and their rows, got 0 millionths"):
        generator.check(LIVER, specification(), 0)
    with pytest.raises(Invalid, match="expected at most 5 rows of a person in 'labs'"):
        visited(LIVER, nested(LIVER, [((0, 1), (((1, 0, 1),) * 6,))]), RHO_MICRO)


@pytest.mark.parametrize(
    ("name", "wished"),
    [
        ("LIVER", ("agora:labs/test", "agora:labs/value")),
        ("CLINIC", ("sex", "agora:synthetic/bilirubin", "agora:synthetic/edema")),
        ("CLINIC", ("agora:before:synthetic/day", "agora:synthetic/edema")),
    ],
)
def test_a_workload_of_rows_is_measured_among_all_of_them_and_not_only_the_first(
    name: str, wished: tuple[str, ...]
) -> None:
    assert wished in [one.columns for one in LAYOUTS[name].histograms if one.stage.startswith("rows/")]


def test_wished_marginals_that_one_model_cannot_hold_are_left_to_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "TARGET_CELLS", 30)
    wishes = Workload((("bilirubin", "edema"), ("day", "bilirubin", "edema")))
    found = visited(CLINIC, nested(CLINIC, CLINICS), RICH_MICRO, 0, wishes)
    places = [one.columns for one in found.histograms if one.stage.startswith("rows/synthetic/marginal")]
    assert len(places) > 1 and ("agora:synthetic/bilirubin", "agora:synthetic/edema") not in places
    made = PrivateVisits().synthesise(found, CLINIC, 20, SEED, ignore, never)
    assert list(link_faults(frames(made, CLINIC), CLINIC)) == []


def test_a_workload_of_the_main_table_is_measured_in_any_case() -> None:
    stages = PrivateVisits().measure(
        nested(LIVER, LIVERS), LIVER, specification(("sex", "age")), RHO_MICRO, stream(), ignore, never
    )
    assert ("sex", "age") in [one.columns for one in stages.histograms if one.stage.startswith("persons/marginal/")]


def test_a_condition_that_no_person_can_meet_is_refused_before_any_noise() -> None:
    """Visits begin at day 100 and lie before the end of follow-up, so nobody is followed for 90 days."""
    both = (Condition("sex", values=("male",)), Condition("sex", values=("female",)))
    with pytest.raises(Invalid, match="conditions on 'sex': expected ones that a declared value can meet together"):
        PrivateVisits().check(CLINIC, replace(specification(), only=both), RHO_MICRO)
    late = tuple(replace(each, lower=Decimal(100)) if each.name == "day" else each for each in CLINIC.columns)
    schema, soon = replace(CLINIC, columns=late), (Condition("followed", upper=Decimal(90)),)
    PrivateVisits().check(schema, specification(), RHO_MICRO)
    with pytest.raises(Invalid, match="expected constraints and conditions that a row can keep together"):
        PrivateVisits().check(schema, replace(specification(), only=soon), RHO_MICRO)


def test_measurements_of_another_generator_or_schema_are_noticed() -> None:
    generator = PrivateVisits()
    other = measured(WIDE, plain_rows(WIDE, 50))
    with pytest.raises(Corrupt, match=f"expected measurements of {NAME}"):
        generator.decode(other.encode())
    with pytest.raises(Corrupt, match="use the generator that made them"):
        PrivateMarginals().synthesise(LAYOUTS["LIVER"], WIDE, 5, SEED, ignore, never)
    with pytest.raises(Corrupt, match="use the schema they were made with"):
        generator.synthesise(LAYOUTS["LIVER"], CLINIC, 5, SEED, ignore, never)


def test_it_can_be_stopped_while_it_measures_and_while_it_draws() -> None:
    generator, table = PrivateVisits(), nested(LIVER, LIVERS)
    with pytest.raises(Stopped):
        generator.measure(table, LIVER, specification(), RHO_MICRO, stream(), ignore, lambda: True)
    with pytest.raises(Stopped):
        generator.synthesise(LAYOUTS["LIVER"], LIVER, 5, SEED, ignore, lambda: True)
    with pytest.raises(Invalid, match="expected at least 1 person, got 0"):
        generator.synthesise(LAYOUTS["LIVER"], LIVER, 0, SEED, ignore, never)
