"""Hospitals answer together: all the same, with noise that is theirs, and nothing counted before all have agreed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count, Rows
from marketplace.protocol.analysis_logistic import LogisticRegression
from marketplace.protocol.analysis_noise import reach, shares, variances
from marketplace.protocol.analysis_statistic import Opened, Statistic
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from node.mpc.ending import Ended
from node.mpc.joint import Answer, take_part
from node.mpc.local import answer_here
from node.mpc.noise import add
from node.mpc.running import PartyProcess
from node.noise.stream import NoiseStream
from scripts.story.lung import LUNG, lung_cancer
from tests.mpc.hospitals import Hospitals

GRID = tuple(Decimal(day) for day in range(30, 1051, 30))
QUESTION = AnalysisSpecification(
    b"\1" * 32, (Survival("time", "status", "2", GRID, "sex"), Count()), 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32
)


def test_with_noise_all_have_the_same_sums_near_the_pooled_ones_and_none_of_those(tmp_path: Path) -> None:
    (parts,) = shares(QUESTION.schedule(LUNG), 30_000, 3, 3, 1)
    true = [count(QUESTION, LUNG, len(codes["sex"]), codes) for codes in lung_cancer()]

    def noisy(number: int) -> Mapping[str, np.ndarray]:
        return add(true[number], parts, NoiseStream(bytes([number]) * 32, b"lung"))

    answers = answer_here(
        QUESTION, LUNG, bytes(32), [lambda _, number=number: noisy(number) for number in range(3)], tmp_path
    )
    assert all(one.opened == answers[0].opened for one in answers)
    for part in parts:
        off = np.array(answers[0].opened[0][part.name]) - sum(one[part.name] for one in true)
        assert 0 < np.abs(off).max() <= reach(part.sigma2, 3, part.cells)
        assert part.sigma2 == Fraction(9 * 10**6, 2 * 2 * (15_000 - 1))
        if part.cells > 30:
            assert off.var() == pytest.approx(float(3 * part.sigma2), rel=0.5)


@dataclass(frozen=True)
class Compounding:
    """Three rounds: in each a hospital adds its number and the sum of the round before."""

    columns = ()
    rounds = 3

    def statistics(self, schema: Schema, number: int) -> tuple[Statistic, ...]:
        return (Statistic(f"step{number}", (1,), 1, 1),)

    def result(self, schema: Schema, opened: Opened, noise: object) -> list[int]:
        return [sums[f"step{number}"][0] for number, sums in enumerate(opened)]

    def document(self) -> dict[str, str]:
        return {"kind": "compounding"}


def test_what_is_counted_in_a_round_follows_from_the_sums_before_it(tmp_path: Path) -> None:
    question = replace(QUESTION, analyses=(Compounding(), Count()))  # type: ignore[arg-type]
    asked: dict[int, list[int]] = {number: [] for number in range(3)}

    def counted(number: int, opened: Opened) -> Mapping[str, np.ndarray]:
        asked[number].append(len(opened))
        before = opened[-1][f"0/step{len(opened) - 1}"][0] if opened else 0
        first = {} if opened else {"1/rows": np.array([10])}
        return {f"0/step{len(opened)}": np.array([before + number]), **first}

    counts = [lambda opened, number=number: counted(number, opened) for number in range(3)]
    answers = answer_here(question, LUNG, bytes(32), counts, tmp_path)
    assert [question.results(LUNG, one.opened) for one in answers] == [([3, 12, 39], Rows(30))] * 3
    assert asked == {number: [0, 1, 2] for number in range(3)}
    assert [set(sums) for sums in answers[0].opened] == [{"0/step0", "1/rows"}, {"0/step1"}, {"0/step2"}]


def test_a_regression_with_noise_in_every_round_is_the_same_at_all_parties_and_knows_of_the_noise(
    tmp_path: Path,
) -> None:
    question = replace(QUESTION, analyses=(LogisticRegression("status", "2", ("sex",), 3, 12),))
    parts = shares(question.schedule(LUNG), 60_000_000, 1, 3, 1)
    streams = [NoiseStream(bytes([number]) * 32, b"lung") for number in range(3)]

    def noisy(number: int, codes: Mapping[str, np.ndarray], opened: Opened) -> Mapping[str, np.ndarray]:
        counted = count(question, LUNG, len(codes["sex"]), codes, opened)
        return add(counted, parts[len(opened)], streams[number], len(opened))

    counts = [
        lambda opened, place=place, codes=codes: noisy(place, codes, opened)
        for place, codes in enumerate(lung_cancer())
    ]
    answers = answer_here(question, LUNG, bytes(32), counts, tmp_path)
    (fit,) = question.results(LUNG, answers[0].opened, variances(parts, 3))
    assert all(one.opened == answers[0].opened for one in answers)
    assert len(answers[0].opened) == 3
    (alone,) = question.results(LUNG, answers[0].opened)
    assert fit.terms is not None
    assert alone.terms is None or all(
        a.standard_error < b.standard_error for a, b in zip(alone.terms, fit.terms, strict=True)
    )


def test_two_hospitals_are_refused_before_anything_is_counted(tmp_path: Path) -> None:
    counted: list[int] = []
    with pytest.raises(Refused, match="3 to 16 parties"):
        answer_here(QUESTION, LUNG, bytes(32), [lambda _: counted.append(1) or {}] * 2, tmp_path)  # type: ignore[func-returns-value]
    assert counted == []


def test_nobody_counts_before_all_have_agreed(hospitals: Callable[..., Hospitals]) -> None:
    made = hospitals()
    made.change(2, specification=b"\7" * 32)
    made.start_all()
    counted: list[int] = []

    def work(number: int, process: PartyProcess) -> Answer:
        return take_part(process, QUESTION, LUNG, lambda _: counted.append(number) or {})  # type: ignore[func-returns-value]

    for one in made.each(work).values():
        with pytest.raises(Ended):
            one.result()
    assert counted == []
