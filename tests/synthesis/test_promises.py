"""What every generator of rows promises, on each of them."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.constraints import Condition, Order
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.scores.constraints import keep_all
from node.noise.stream import NoiseStream
from node.synthesis.generator import Generator, Measured, Stopped
from node.synthesis.generators import GENERATORS, LINKED_GENERATOR, generator_of
from tests.synthesis.examples import FEW, KEY, RHO_MICRO, ignore, never, rows_of, specification, stream, table_of

STAYS = Schema(
    (
        Category("ward", ("a", "b", "c"), missing=False),
        Number("first", Decimal(0), Decimal(60), Decimal(1), missing=False),
        Number("last", Decimal(0), Decimal(60), Decimal(1), missing=True),
    ),
    person=None,
    rows_per_person=1,
    constraints=(Order("first", "last"),),
)
ONLY = (Condition("ward", values=("b",)), Condition("first", lower=Decimal(10), upper=Decimal(30)))
FEW_ROWS = rows_of(FEW, 400)


def stays(count: int) -> pa.Table:
    """Rows that keep the constraint: the last day is not before the first."""
    rng = np.random.default_rng(5)
    first = rng.integers(0, 50, count)
    last = np.where(rng.random(count) < 0.1, -1, np.minimum(60, first + rng.integers(0, 20, count)))
    return table_of(STAYS, list(zip(rng.integers(0, 3, count).tolist(), first.tolist(), last.tolist(), strict=True)))


def measured(name: str, schema: Schema, table: pa.Table, number: int = 0) -> Measured:
    noise = stream(number)
    return generator_of(name).measure(table, schema, specification(), RHO_MICRO, noise, ignore, never)


@cache
def small(name: str) -> Measured:
    return measured(name, FEW, table_of(FEW, FEW_ROWS))


@cache
def constrained(name: str) -> Measured:
    return measured(name, STAYS, stays(500))


@pytest.fixture(params=[name for name, entry in GENERATORS.items() if not entry.licence and name != LINKED_GENERATOR])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestEveryGenerator:
    def test_rows_are_coded_under_the_schema_and_as_many_as_asked_for(self, name: str) -> None:
        for count in (1, 333):
            table = generator_of(name).synthesise(small(name), FEW, count, KEY, ignore, never)
            assert tuple(table.column_names) == FEW.names and table.num_rows == count
            for column in FEW.columns:
                codes = table.column(column.name)
                assert codes.type == pa.int32() and (column.missing or codes.null_count == 0)
                assert all(0 <= code < column.size for code in codes.drop_null().to_pylist())

    def test_the_same_measurements_and_seed_give_the_same_rows(self, name: str) -> None:
        generator = generator_of(name)
        again = generator.decode(small(name).encode())
        one, same, other = (
            generator.synthesise(source, FEW, 200, seed, ignore, never)
            for source, seed in ((small(name), KEY), (again, KEY), (again, bytes(32)))
        )
        assert one.equals(same)
        assert not one.equals(other)

    def test_the_same_records_and_key_give_the_same_measurements(self, name: str) -> None:
        assert measured(name, FEW, table_of(FEW, FEW_ROWS)).encode() == small(name).encode()

    def test_measurements_are_read_by_their_own_generator_alone(self, name: str) -> None:
        generator: Generator = generator_of(name)
        assert generator.decode(small(name).encode()) == small(name)
        for other in {"private-marginals", "neural", "neural-exact"} - {name}:
            with pytest.raises(Corrupt):
                generator.decode(small(other).encode())
            with pytest.raises(Corrupt, match="use the generator that made them"):
                generator.synthesise(small(other), FEW, 5, KEY, ignore, never)

    def test_a_promise_costs_exactly_the_rho_and_none_costs_nothing(self, name: str) -> None:
        spent = sum(stage.rho_micro for stage in small(name).stages)
        assert spent == (0 if GENERATORS[name].exact else RHO_MICRO)
        assert (small(name).histograms == ()) == GENERATORS[name].exact

    def test_every_row_keeps_the_constraints_and_the_conditions(self, name: str) -> None:
        for only in ((), ONLY):
            table = generator_of(name).synthesise(constrained(name), STAYS, 150, KEY, ignore, never, only)
            codes = {column: table.column(column).fill_null(-1).to_numpy().astype(np.int64) for column in STAYS.names}
            assert keep_all(STAYS, only, codes).all()

    def test_conditions_give_the_rows_that_the_model_has_of_them(self, name: str) -> None:
        generator, only = generator_of(name), (Condition("last", lower=Decimal(40)),)
        whole, part = (
            generator.synthesise(constrained(name), STAYS, 4_000, KEY, ignore, never, given) for given in ((), only)
        )
        late = whole.filter(pa.compute.greater_equal(whole.column("last"), 40))
        means = [float(np.mean(table.column("first").to_numpy())) for table in (late, part, whole)]
        assert abs(means[0] - means[1]) < 3 < abs(means[0] - means[2])

    def test_a_wish_that_the_schema_cannot_meet_is_refused_before_any_record(self, name: str) -> None:
        for wishes in (
            specification(("sex", "height")),
            replace(specification(), only=(Condition("arm", values=("z",)),)),
        ):
            with pytest.raises(Invalid):
                generator_of(name).check(FEW, wishes, RHO_MICRO)

    def test_a_rho_that_pays_for_nothing_is_refused_where_rho_pays(self, name: str) -> None:
        if GENERATORS[name].exact:
            generator_of(name).check(FEW, specification(), 1)
        else:
            with pytest.raises(Refused, match="expected a rho of at least"):
                generator_of(name).check(FEW, specification(), 1)

    def test_records_of_another_schema_are_refused(self, name: str) -> None:
        with pytest.raises(Invalid):
            measured(name, STAYS, table_of(FEW, FEW_ROWS))

    @pytest.mark.parametrize("count", [0, 1])
    def test_no_record_or_one_is_measured_like_any_others(self, name: str, count: int) -> None:
        found = measured(name, FEW, table_of(FEW, FEW_ROWS[:count]))
        assert len(found.stages) == len(small(name).stages)
        assert generator_of(name).synthesise(found, FEW, 7, KEY, ignore, never).num_rows == 7

    def test_work_stops_when_it_is_cancelled_and_tells_how_far_it_is(self, name: str) -> None:
        generator, table, shares = generator_of(name), table_of(FEW, FEW_ROWS), list[float]()
        generator.measure(
            table, FEW, specification(), RHO_MICRO, stream(), lambda _, share: shares.append(share), never
        )
        assert len(shares) > 3 and all(0 <= share <= 1 for share in shares)
        for after in (0, len(shares) // 2):
            told = list[float]()
            with pytest.raises(Stopped):
                generator.measure(
                    table, FEW, specification(), RHO_MICRO, stream(),
                    lambda _, share, told=told: told.append(share), lambda told=told, after=after: len(told) > after,
                )  # fmt: skip
            assert len(told) <= after + 2
        with pytest.raises(Stopped):
            generator.synthesise(small(name), FEW, 10, KEY, ignore, lambda: True)

    def test_a_number_of_rows_below_one_or_a_short_seed_is_refused(self, name: str) -> None:
        with pytest.raises(Invalid, match="expected at least 1 row"):
            generator_of(name).synthesise(small(name), FEW, 0, KEY, ignore, never)
        with pytest.raises(ValueError, match="expected a seed of 32 bytes"):
            generator_of(name).synthesise(small(name), FEW, 1, KEY[:-1], ignore, never)

    def test_making_rows_draws_nothing_from_the_orders_noise(self, name: str) -> None:
        noise = stream()
        generator_of(name).measure(table_of(FEW, FEW_ROWS), FEW, specification(), RHO_MICRO, noise, ignore, never)
        assert isinstance(noise, NoiseStream)
        assert noise.stage("synthesise/seed").bytes(32) == stream().stage("synthesise/seed").bytes(32)
