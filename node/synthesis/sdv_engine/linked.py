"""SDV's synthesizers of rows that hang together under persons: PAR for one table of visits, HMA for several tables.

SDV sees persons and, for each strand, their rows. What it draws is put into what the schema declares by rules that look at
one person alone: rows in the order of time, those left out that break a constraint, miss a value or stand at another's
strict time, and then as many as the bound says. A person who breaks a condition or is left without a visit is drawn again.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import MAIN, Category, Column, Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.constraints import keep_all, meet
from node.nesting import MISSING, Codes, Rows, Strand, nest, person_columns, persons_of, rows_of, strands_of
from node.noise.stream import KEY_BYTES, NoiseStream, Stage
from node.synthesis.generator import Cancelled, Measured, Progress, stop_if
from node.synthesis.persons import check_persons, persons_schema
from node.synthesis.rows import find_rows
from node.synthesis.sdv_engine.engine import LARGEST_DRAW, TURNS, SdvEngine, SdvModel

Flags = NDArray[np.bool_]


class SdvLinked(SdvEngine):
    """A `generator.Generator` of nested tables; `rows` counts persons."""

    several: bool
    """Whether it is for several tables, or else for one with a timeline."""

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        if not schema.is_linked or bool(schema.tables) != self.several:
            wanted = "several tables" if self.several else "one table with a timeline"
            raise Invalid(f"expected {wanted} for {self.name}, got another schema; ask for another generator")
        specification.check(schema)
        check_persons(specification.only, schema)
        self.check_installed()
        if schema.constraints or specification.only:
            find_rows(persons_schema(schema), specification.only)

    def measure(
        self,
        table: pa.Table,
        schema: Schema,
        specification: Specification,
        rho_micro: int,
        noise: NoiseStream,
        progress: Progress,
        cancelled: Cancelled,
    ) -> SdvModel:
        self.check(schema, specification, rho_micro)
        progress("fitting", 0.0)
        columns = person_columns(schema)
        asked = {
            "verb": "fit",
            "method": self.method,
            "persons": table.num_rows,
            "epochs": self._epochs,
            **_request(columns, persons_of(table, schema)),
            "strands": [_strand_request(strand, rows_of(table, strand)) for strand in strands_of(schema)],
        }
        answered = self._ask(asked, noise.stage("fit"), cancelled)
        return SdvModel(self.name, base64.b64decode(answered["model"]))

    def synthesise(
        self,
        measurements: Measured,
        schema: Schema,
        rows: int,
        seed: bytes,
        progress: Progress,
        cancelled: Cancelled,
        only: Sequence[Condition] = (),
    ) -> pa.Table:
        if rows < 1:
            raise Invalid(f"expected at least 1 person, got {rows}")
        if len(seed) != KEY_BYTES:
            raise ValueError(f"expected a seed of {KEY_BYTES} bytes, got {len(seed)}")
        own, noise, kept, asked = self._own(measurements), NoiseStream(seed, self.name.encode()), list[pa.Table](), rows
        for turn in range(TURNS):
            stop_if(cancelled)
            progress("drawing persons", sum(part.num_rows for part in kept) / rows)
            kept.append(self._persons(own, schema, asked, noise.stage(f"draw/{turn}"), cancelled, only))
            missing = rows - sum(part.num_rows for part in kept)
            if missing <= 0:
                return pa.concat_tables(kept).slice(0, rows).combine_chunks()
            share = max(0.01, kept[-1].num_rows / asked)
            asked = min(LARGEST_DRAW, int(missing / share * 1.2) + 1)
        raise Invalid("expected conditions and constraints that persons of the model meet, too few do; ask for less")

    def _persons(
        self,
        model: SdvModel,
        schema: Schema,
        count: int,
        stage: Stage,
        cancelled: Cancelled,
        only: Sequence[Condition],
    ) -> pa.Table:
        """Those of `count` persons of the model that meet `only` and what the schema declares, with their rows."""
        asked = {"verb": "draw", "model": base64.b64encode(model.model).decode(), "rows": count}
        answered = self._ask(asked, stage, cancelled)
        columns, strands = person_columns(schema), strands_of(schema)
        persons = _codes(answered["codes"], columns, int(answered["persons"]))
        beside = {column.name: persons[:, place].astype(np.int64) for place, column in enumerate(columns)}
        good = _there(persons, columns)
        for condition in only:
            good &= meet(condition, schema, beside[condition.column])
        if schema.timeline is None:
            good &= keep_all(schema, (), beside)
        found = []
        for strand, part in zip(strands, answered["strands"], strict=True):
            counts = np.array(part["counts"], np.int64)
            rows = _declared(strand, schema, beside, _codes(part["codes"], strand.schema.columns, counts.sum()), counts)
            good &= rows.counts >= strand.least_rows
            found.append(rows)
        return nest(schema, persons, found).filter(pa.array(good))


class SdvPar(SdvLinked):
    """SDV's PAR."""

    method, several = "par", False


class SdvHma(SdvLinked):
    """SDV's HMA."""

    method, several = "hma", True


def _request(columns: Sequence[Column], codes: Codes) -> dict[str, Any]:
    told = [
        {"name": column.name, "kind": "category" if isinstance(column, Category) else "number", "size": column.size}
        for column in columns
    ]
    return {"columns": told, "codes": {column.name: codes[:, place].tolist() for place, column in enumerate(columns)}}


def _strand_request(strand: Strand, rows: Rows) -> dict[str, Any]:
    timeline = strand.schema.timeline
    told = {"name": strand.name, "counts": rows.counts.tolist(), "time": None if timeline is None else timeline.column}
    return {**told, **_request(strand.schema.columns, rows.codes)}


def _codes(answered: dict[str, list[int]], columns: Sequence[Column], count: int) -> Codes:
    found = [np.array(answered[column.name], np.int32) for column in columns]
    return np.stack(found, axis=1) if found else np.empty((count, 0), np.int32)


def _there(codes: Codes, columns: Sequence[Column]) -> Flags:
    """Which rows have a value wherever one is declared."""
    never = [place for place, column in enumerate(columns) if not column.missing]
    return np.asarray((codes[:, never] != MISSING).all(axis=1))


def _declared(
    strand: Strand, schema: Schema, beside: dict[str, NDArray[np.int64]], codes: Codes, counts: NDArray[np.int64]
) -> Rows:
    """The rows of a strand as the schema declares them. `beside`: the persons' own columns; `counts`: rows of each."""
    owner = np.repeat(np.arange(len(counts)), counts)
    names, timeline = strand.schema.names, strand.schema.timeline
    if timeline is not None:
        order = np.lexsort((codes[:, names.index(timeline.column)], owner))
        codes, owner = codes[order], owner[order]
    whole = {name: codes[:, place].astype(np.int64) for place, name in enumerate(names)}
    if strand.name == MAIN:
        whole |= {name: column[owner] for name, column in beside.items()}
    declared = schema if strand.name == MAIN else strand.schema
    good = _there(codes, strand.schema.columns) & keep_all(declared, (), whole)
    codes, owner = codes[good], owner[good]
    if timeline is not None and timeline.strict:
        at = codes[:, names.index(timeline.column)]
        first = np.concatenate([[True], (owner[1:] != owner[:-1]) | (at[1:] != at[:-1])])[: len(owner)]
        codes, owner = codes[first], owner[first]
    within = np.arange(len(owner)) - np.searchsorted(owner, owner) < strand.schema.rows_per_person
    return Rows(codes[within], np.bincount(owner[within], minlength=len(counts)).astype(np.int64))
