"""Models of shadow tables and what attackers make of them, each kept once under all that it depends on."""

import ast
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from marketplace.protocol.rho import largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import DEFAULT_GENERATOR, SEALING_KEY_BYTES, Specification, Workload
from node.noise.stream import NoiseStream
from node.synthesis.generators import GENERATORS, LINKED_GENERATOR, generator_of
from scripts.benchmarks import attacks_persons, attacks_population, attacks_views
from scripts.benchmarks.attacks_persons import Persons, synthetic_persons
from scripts.benchmarks.attacks_population import Population, Shadow
from scripts.benchmarks.attacks_views import View, view
from scripts.benchmarks.peers.kept import KEPT, key_of

DELTA = 1e-5
ROWS = 5_000
NO_NOISE_MICRO = 10**12


@dataclass(frozen=True)
class Setting:
    """What is attacked. `rho_micro`: its price, None for the records drawn again. `private`: whether that promises."""

    name: str
    rho_micro: int | None
    private: bool = False

    @property
    def rows(self) -> int:
        """Synthetic rows that the attacker sees of one model: 0 stands for as many as there were records."""
        return 0 if self.rho_micro is None else ROWS


PRIVATE = (
    Setting("epsilon 1", largest_rho_micro(1.0, DELTA), True),
    Setting("epsilon 10", largest_rho_micro(10.0, DELTA), True),
)
WITHOUT_NOISE, EXACT, COPIES = (
    Setting("control: without noise", NO_NOISE_MICRO),
    Setting("exact, without a promise", 1),
    Setting("control: the records drawn again", None),
)


def settings_of(generator: str) -> tuple[Setting, ...]:
    """What is attacked of the generator of this name, with the controls that show the attacks to work."""
    if GENERATORS[generator].exact:
        return (EXACT, COPIES)
    defaults = (DEFAULT_GENERATOR, LINKED_GENERATOR)
    return (*PRIVATE, WITHOUT_NOISE, COPIES) if generator in defaults else (*PRIVATE, COPIES)


@dataclass(frozen=True)
class Fits:
    """What attackers saw of the models of one setting on one data set, one view for each shadow."""

    population: Population
    setting: Setting
    shadows: Sequence[Shadow]
    views: Sequence[View]


def gather(population: Population, generator: str, setting: Setting, count: int, until_s: float) -> Fits | None:
    """The views of `count` shadows, those from memory that are there; None where `until_s` (monotonic) came first."""
    shadows, task = population.shadows(count), _task(population, generator, setting)
    views = []
    for number, shadow in enumerate(shadows):
        path = KEPT / "attacks" / f"{key_of({**task, 'shadow': [number, count]})}.npz"
        if not path.exists():
            if time.monotonic() > until_s:
                return None
            synthetic = _synthetic(population, generator, setting, shadow, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part.npz")
            np.savez_compressed(part, **view(population, shadow, synthetic, number))  # type: ignore[arg-type]
            part.replace(path)
        with np.load(path) as kept:
            views.append(dict(kept))
    return Fits(population, setting, shadows, views)


def version_of(generator: str) -> str:
    """Name and version of the generator of this name, as its measurements state them."""
    entry = GENERATORS[generator]
    module = import_module(entry.module)
    version: str = getattr(getattr(module, entry.name), "name", None) or module.NAME
    return version


def code_of(generator: str) -> str:
    """A hash of what the generator of this name means: its modules and those of its noise, without comments."""
    found, left = dict[str, Path](), [GENERATORS[generator].module]
    while left:
        name = left.pop()
        path = Path(*name.split(".")).with_suffix(".py")
        if name in found or not name.startswith(("node.synthesis.", "node.noise.")) or not path.exists():
            continue
        found[name] = path
        for statement in ast.walk(ast.parse(path.read_text())):
            if isinstance(statement, ast.ImportFrom) and statement.module:
                left += [statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)]
    return meaning_of([found[name] for name in sorted(found)])


def coded_table(records: pd.DataFrame) -> pa.Table:
    """The coded Arrow table of a coded frame."""
    return pa.table({name: pa.array(codes, pa.int32(), mask=codes < 0) for name, codes in records.items()})


def synthetic_table(
    name: str, records: pd.DataFrame, schema: Schema, rho_micro: int, rows: int, key: bytes
) -> pd.DataFrame:
    """A synthetic table as coded frame. `key`: 32 bytes, a key of this benchmark and of nothing else."""
    table = coded_table(records)
    wishes = Specification(bytes(32), rows, Workload(), 60, bytes(SEALING_KEY_BYTES), bytes(32))
    generator, noise = generator_of(name), NoiseStream(key, b"attacks")
    measured = generator.measure(table, schema, wishes, rho_micro, noise, _ignored, _never)
    twin = generator.synthesise(measured, schema, rows, key, _ignored, _never)
    return pd.DataFrame({name: twin.column(name).fill_null(-1).to_numpy() for name in schema.names})


def _synthetic(population: Population, generator: str, setting: Setting, shadow: Shadow, number: int) -> pd.DataFrame:
    training = population.records.iloc[shadow.members]
    if setting.rho_micro is None:
        return training.iloc[np.random.default_rng(number).integers(0, len(training), len(training))]
    key = hashlib.sha256(f"{population.name}/{setting.name}/{number}".encode()).digest()
    if isinstance(population, Persons):
        return synthetic_persons(generator, population, shadow.members, setting.rho_micro, setting.rows, key)
    return synthetic_table(generator, training, population.schema, setting.rho_micro, setting.rows, key)


def _task(population: Population, generator: str, setting: Setting) -> dict[str, Any]:
    """All that the models of a setting and the attacks on them depend on."""
    modules = [attacks_population, attacks_views, *([attacks_persons] if isinstance(population, Persons) else [])]
    attack = [Path(str(module.__file__)) for module in modules]
    return {
        "generator": [version_of(generator), code_of(generator)] if setting.rho_micro else [],
        "attack": meaning_of(attack),
        "data": hashlib.sha256(population.records.to_csv().encode()).hexdigest(),
        "setting": [setting.name, setting.rho_micro, setting.rows],
    }


def meaning_of(paths: Sequence[Path]) -> str:
    """A hash of what the Python files do: of their names and trees, without comments, docstrings and spacing."""
    hashed = hashlib.sha256()
    for path in paths:
        hashed.update(json.dumps([path.name, ast.dump(_bare(ast.parse(path.read_text())))]).encode())
    return hashed.hexdigest()[:24]


def _bare(tree: ast.Module) -> ast.Module:
    """The tree without strings that stand as statements: docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            bare = [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
            node.body = bare or [ast.Pass()]  # type: ignore[attr-defined]
    return tree


def _ignored(_: str, __: float) -> None:
    pass


def _never() -> bool:
    return False
