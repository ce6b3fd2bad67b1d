"""SDV's PAR and HMA: whom they serve, that what they draw is put into what the schema declares, and the libraries themselves."""

import importlib.util
import json
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.protocol.constraints import Condition, Order
from marketplace.protocol.schema import Schema
from marketplace.scores.constraints import keep_all
from marketplace.scores.links import link_faults
from node.nesting import rows_of, strands_of
from node.synthesis.generators import GENERATORS, generator_of, serving
from node.synthesis.sdv_engine.engine import LICENCE, SdvModel
from node.synthesis.sdv_engine.linked import SdvHma, SdvLinked, SdvPar
from scripts.benchmarks.longitudinal import CASES, within_bounds
from scripts.benchmarks.peers.environment import SDV, python_of
from tests.synthesis.examples import FEW, KEY, ignore, never, specification, stream
from tests.synthesis.linked import frames, nested, some_persons
from tests.vault.linked import CLINIC, LIVER

CONSTRAINED = replace(
    LIVER,
    tables=(
        replace(
            LIVER.tables[0],
            schema=replace(LIVER.tables[0].schema, constraints=(Order("days", "value"),)),
        ),
    ),
)
STANDING_IN = f"""#!{sys.executable}
import json, os, random, sys
request = json.load(sys.stdin)
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps(request) + chr(10))
random.seed(request["seed"])
if request["verb"] == "fit":
    print(json.dumps({{"model": "bW9kZWw="}}))
else:
    fitted = json.loads(open(os.environ["SEEN"]).readline())
    def codes(columns, count):
        return {{c["name"]: [random.randrange(-1, c["size"]) for _ in range(count)] for c in columns}}
    count, strands = request["rows"], []
    for strand in fitted["strands"]:
        counts = [random.randrange(9) for _ in range(count)]
        strands.append({{"counts": counts, "codes": codes(strand["columns"], sum(counts))}})
    print(json.dumps({{"persons": count, "codes": codes(fitted["columns"], count), "strands": strands}}))
"""
"""Draws whatever fits into the columns' codes, with up to eight rows of a person."""


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands in for the interpreter with SDV."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    path = tmp_path / "python"
    path.write_text(STANDING_IN)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fitted(engine: SdvLinked, schema: Schema) -> SdvModel:
    table = nested(schema, some_persons(schema, 30))
    return engine.measure(table, schema, specification(), 0, stream(), ignore, never)


@pytest.mark.parametrize(("make", "schema"), [(SdvPar, CLINIC), (SdvHma, LIVER), (SdvHma, CONSTRAINED)])
def test_whatever_the_library_draws_every_row_keeps_what_is_declared(
    standing_in: Path, make: Callable[[Path], SdvLinked], schema: Schema
) -> None:
    engine, only = make(standing_in), (Condition("sex", values=("male",)),)
    model = fitted(engine, schema)
    made = engine.synthesise(engine.decode(model.encode()), schema, 60, KEY, ignore, never, only)
    tables = frames(made, schema)
    assert made.num_rows == 60 and list(link_faults(tables, schema)) == []
    assert (tables[0]["sex"] == 1).all()
    assert max(rows_of(made, strand).counts.max() for strand in strands_of(schema)) > 1
    for table, declared in zip(tables, (schema, *(each.schema for each in schema.tables)), strict=True):
        assert keep_all(declared, (), {name: table[name].to_numpy() for name in declared.names}).all()
        for column in declared.columns:
            assert table[column.name].between(-1 if column.missing else 0, column.size - 1).all()
    assert made.equals(engine.synthesise(model, schema, 60, KEY, ignore, never, only))


def test_persons_and_their_rows_reach_the_library_as_codes_without_names(standing_in: Path) -> None:
    table = nested(LIVER, [((1, -1), (((3, 0, 7), (9, 1, -1)),)), ((0, 4), ((),))])
    SdvHma(standing_in).measure(table, LIVER, specification(), 0, stream(), ignore, never)
    asked = json.loads(Path(os.environ["SEEN"]).read_text())
    (labs,) = asked["strands"]
    assert (asked["method"], asked["persons"], asked["codes"]) == ("hma", 2, {"sex": [1, 0], "age": [-1, 4]})
    assert (labs["counts"], labs["time"]) == ([2, 0], "days")
    assert labs["codes"] == {"days": [3, 9], "test": [0, 1], "value": [7, -1]}


def test_a_model_has_no_stage_and_names_its_licence(standing_in: Path) -> None:
    model = fitted(SdvPar(standing_in), CLINIC)
    assert (model.generator, model.stages) == ("sdv-par/1", ())
    assert dict(model.parameters)["licence"] == LICENCE


@pytest.mark.parametrize("name", ["sdv-par", "sdv-hma"])
def test_they_are_exact_marked_with_their_licence_and_refused_where_sdv_is_not_installed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    entry = GENERATORS[name]
    assert entry.exact and entry.linked and entry.licence == LICENCE and LICENCE in entry.words
    with pytest.raises(Refused, match="expected the library sdv in this node's environment"):
        generator_of(name).check(CLINIC if name == "sdv-par" else LIVER, specification(), 0)


def test_each_serves_its_own_kind_of_schema(standing_in: Path) -> None:
    assert serving("sdv-par", CLINIC) == "sdv-par" and serving("sdv-hma", LIVER) == "sdv-hma"
    with pytest.raises(Invalid, match="expected one table with a timeline for sdv-par/1"):
        SdvPar(standing_in).check(LIVER, specification(), 0)
    with pytest.raises(Invalid, match="expected several tables for sdv-hma/1"):
        SdvHma(standing_in).check(CLINIC, specification(), 0)
    with pytest.raises(Invalid, match="expected several tables for sdv-hma/1"):
        SdvHma(standing_in).check(FEW, specification(), 0)
    for name, schema in (("sdv-copula", LIVER), ("sdv-par", FEW)):
        with pytest.raises(Invalid, match="ask for one of them"):
            serving(name, schema)


def test_conditions_that_no_person_can_meet_are_refused_or_end(standing_in: Path) -> None:
    engine = SdvPar(standing_in)
    with pytest.raises(Invalid, match="condition on 'day': expected a column that is the same in all rows"):
        engine.check(CLINIC, replace(specification(), only=(Condition("day", upper=Decimal(5)),)), 0)
    with pytest.raises(Invalid, match="expected ones that a declared value can meet together"):
        engine.check(
            CLINIC,
            replace(specification(), only=(Condition("sex", values=("male",)), Condition("sex", values=("female",)))),
            0,
        )
    standing_in.write_text(STANDING_IN.replace("random.randrange(9)", "0"))
    with pytest.raises(Invalid, match="persons of the model meet, too few do"):
        engine.synthesise(fitted(engine, CLINIC), CLINIC, 5, KEY, ignore, never)


def test_a_draw_asks_for_persons_and_a_seed_of_its_own(standing_in: Path) -> None:
    engine = SdvPar(standing_in)
    with pytest.raises(Invalid, match="expected at least 1 person, got 0"):
        engine.synthesise(fitted(engine, CLINIC), CLINIC, 0, KEY, ignore, never)
    with pytest.raises(ValueError, match="expected a seed of 32 bytes"):
        engine.synthesise(fitted(engine, CLINIC), CLINIC, 5, b"", ignore, never)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "case", "persons"), [(SdvPar, "pbcseq", 312), (SdvHma, "nafld", 400)])
def test_the_libraries_themselves_make_persons_like_those_of_public_records(
    make: Callable[..., SdvLinked], case: str, persons: int
) -> None:
    python, schema = python_of(SDV), CASES[case].schema
    assert python is not None, "expected SDV's own environment; see scripts/benchmarks/peers"
    engine = make(python.absolute(), 2)
    real = within_bounds(CASES[case]).slice(0, persons).combine_chunks()
    model = engine.measure(real, schema, specification(), 0, stream(), ignore, never)
    made = engine.synthesise(engine.decode(model.encode()), schema, 40, KEY, ignore, never)
    assert made.num_rows == 40 and list(link_faults(frames(made, schema), schema)) == []
    assert sum(rows_of(made, strand).counts.sum() for strand in strands_of(schema)) > 40
    assert made.equals(engine.synthesise(model, schema, 40, KEY, ignore, never))
