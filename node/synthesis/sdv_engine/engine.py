"""SDV's synthesizers as generators, for exact offers alone.

SDV is under the Business Source Licence 1.1, whose grant excludes a service that makes synthetic data for others. So it is
an extra, never the default, named with its licence, and sold only where the operator declares one (`node.rules`). It runs
in a process of its own, which sees the codes through a pipe and leaves no file.
"""

import base64
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol import canonical
from marketplace.protocol.constraints import Condition
from marketplace.protocol.schema import Category, Schema
from marketplace.protocol.specification import Specification
from marketplace.scores.constraints import keep_all
from node.noise.stream import KEY_BYTES, NoiseStream, Stage
from node.synthesis.generator import Cancelled, Measured, Progress, stop_if
from node.synthesis.measurements import Histogram
from node.synthesis.mending import Coded
from node.synthesis.records import MISSING, Records
from node.synthesis.rows import find_rows

NOUN, VERSION = "sdv-model", 1
LICENCE = "BUSL-1.1"
PROGRAM = Path(__file__).with_name("program.py")
PATIENCE_S = 0.2
TURNS, LARGEST_DRAW = 20, 1_000_000


@dataclass(frozen=True)
class SdvModel:
    """A `generator.Measured` without any stage: a model fitted to records as they are. `model`: as SDV's process gave it."""

    generator: str
    model: bytes

    @property
    def stages(self) -> tuple[Histogram, ...]:
        """None: nothing is private."""
        return ()

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """None: nothing is noisy."""
        return ()

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        return (("library", "sdv"), ("licence", LICENCE))

    def encode(self) -> bytes:
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "generator": self.generator,
                "model": base64.b64encode(self.model).decode(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "SdvModel":
        """The model in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            made = cls(str(document["generator"]), base64.b64decode(document["model"], validate=True))
        except (KeyError, TypeError, ValueError):
            made = None
        if made is None or made.encode() != data:
            raise Corrupt("expected the parts of a model, got others; restore the journal")
        return made


class SdvEngine:
    """A `generator.Generator`. `python`: the interpreter in whose environment SDV is, by default this one.

    `epochs`: of the networks; None for the library's own.
    """

    method: str

    def __init__(self, python: Path | None = None, epochs: int | None = None) -> None:
        self._python = python
        self._epochs = epochs

    @property
    def name(self) -> str:
        """The generator's name and version."""
        return f"sdv-{self.method}/1"

    def check(self, schema: Schema, specification: Specification, rho_micro: int) -> None:
        specification.check(schema)
        self.check_installed()
        if schema.constraints or specification.only:
            find_rows(schema, specification.only)

    def check_installed(self) -> None:
        """Raises `Refused` where the library is not there."""
        if self._python is None and importlib.util.find_spec("sdv") is None:
            raise Refused(
                "expected the library sdv in this node's environment, it is not installed; ask for another generator"
            )

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
        Records.of_table(table, schema)
        progress("fitting", 0.0)
        columns = [
            {"name": column.name, "kind": "category" if isinstance(column, Category) else "number", "size": column.size}
            for column in schema.columns
        ]
        codes = {name: table.column(name).fill_null(MISSING).to_pylist() for name in schema.names}
        asked = {"verb": "fit", "method": self.method, "columns": columns, "codes": codes, "epochs": self._epochs}
        answered = self._ask(asked, noise.stage("fit"), cancelled)
        return SdvModel(self.name, base64.b64decode(answered["model"]))

    def decode(self, data: bytes) -> SdvModel:
        return self._own(SdvModel.decode(data))

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
            raise Invalid(f"expected at least 1 row, got {rows}")
        if len(seed) != KEY_BYTES:
            raise ValueError(f"expected a seed of {KEY_BYTES} bytes, got {len(seed)}")
        own, noise, kept, asked = self._own(measurements), NoiseStream(seed, self.name.encode()), list[Coded](), rows
        for turn in range(TURNS):
            stop_if(cancelled)
            progress("drawing rows", sum(len(part[schema.names[0]]) for part in kept) / rows)
            good = self._good(own, schema, asked, noise.stage(f"draw/{turn}"), cancelled, only)
            kept.append(good)
            missing = rows - sum(len(part[schema.names[0]]) for part in kept)
            if missing <= 0:
                return _table(kept, schema, rows)
            share = max(0.01, len(good[schema.names[0]]) / asked)
            asked = min(LARGEST_DRAW, int(missing / share * 1.2) + 1)
        raise Invalid("expected conditions and constraints that rows of the model meet, too few do; ask for less")

    def _good(
        self,
        model: SdvModel,
        schema: Schema,
        count: int,
        stage: Stage,
        cancelled: Cancelled,
        only: Sequence[Condition],
    ) -> Coded:
        """Those of `count` rows of the model that keep the schema's promises and meet `only`."""
        asked = {"verb": "draw", "model": base64.b64encode(model.model).decode(), "rows": count}
        answered = self._ask(asked, stage, cancelled)["codes"]
        codes: Coded = {name: np.array(answered[name], np.int64) for name in schema.names}
        good = keep_all(schema, only, codes)
        for column in schema.columns:
            good &= column.missing | (codes[column.name] != MISSING)
        return {name: column[good] for name, column in codes.items()}

    def _ask(self, request: Mapping[str, Any], stage: Stage, cancelled: Cancelled) -> dict[str, Any]:
        """What the process answers; it is ended when the work is cancelled. Raises `Refused` where it fails."""
        asked = json.dumps({**request, "seed": int(stage.integers_below(2**62, 1)[0])}).encode()
        command, answered = [str(self._python or sys.executable), str(PROGRAM), str(os.getpid())], None
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(child.communicate, asked)
            try:
                while answered is None:
                    try:
                        answered, _ = pending.result(timeout=PATIENCE_S)
                    except TimeoutError:
                        stop_if(cancelled)
            finally:
                child.kill()
        child.wait()
        try:
            found: dict[str, Any] = json.loads(answered)
        except ValueError:
            raise Refused(
                "expected a model that SDV can make of this schema, it failed; ask for another generator"
            ) from None
        return found

    def _own(self, measurements: Measured) -> SdvModel:
        if not isinstance(measurements, SdvModel) or measurements.generator != self.name:
            raise Corrupt(
                f"expected measurements of {self.name}, got {measurements.generator[:60]!r}; use the generator that made them"
            )
        return measurements


class SdvCopula(SdvEngine):
    """SDV's GaussianCopula."""

    method = "copula"


class SdvCtgan(SdvEngine):
    """SDV's CTGAN."""

    method = "ctgan"


class SdvTvae(SdvEngine):
    """SDV's TVAE."""

    method = "tvae"


def _table(parts: Sequence[Coded], schema: Schema, rows: int) -> pa.Table:
    arrays = []
    for column in schema.columns:
        codes = np.concatenate([part[column.name] for part in parts])[:rows].astype(np.int32)
        arrays.append(pa.array(codes, mask=codes < 0 if column.missing else None))
    return pa.table(arrays, names=list(schema.names))
