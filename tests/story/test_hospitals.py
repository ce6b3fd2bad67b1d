"""The act of several hospitals: lung cancer by sex, equal to lifelines on the pooled records."""

from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

from marketplace.errors import Invalid
from scripts.story.hospitals import LABEL, deal, lung_cancer, survival_by_sex


def test_lung_cancer_by_sex_over_three_hospitals_is_that_of_the_pooled_records(tmp_path: Path) -> None:
    parts = lung_cancer()
    document = survival_by_sex(parts, tmp_path).document()
    pooled = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    assert len(pooled["sex"]) == 227
    times, died = np.ceil(pooled["time"] / 30) * 30, pooled["status"] == 1
    men, women = (pooled["sex"] == code for code in range(2))
    assert (times[died] <= document["grid"][-1]).all()
    for group, who in (("1", men), ("2", women)):
        fitted = KaplanMeierFitter().fit(times[who], died[who])
        for (time, at_risk, events, survival), point in zip(document["result"][group], document["grid"], strict=True):
            assert time == point
            assert survival == pytest.approx(fitted.predict(time), rel=1e-12)
            assert at_risk == np.count_nonzero(times[who] >= time)
            assert events == np.count_nonzero(died[who] & (times[who] == time))
    expected = logrank_test(times[men], times[women], died[men], died[women])
    assert document["logrank"]["statistic"] == pytest.approx(expected.test_statistic, rel=1e-10)
    assert document["logrank"]["p"] == pytest.approx(expected.p_value, rel=1e-9)
    assert (document["parties"], document["lane"], document["guarantee"]) == (3, "sums", LABEL)
    assert "private" not in LABEL


def test_up_to_ten_sites_are_the_hospitals() -> None:
    sites = ["b", "a", "c", "a", "b"]
    assert [rows.tolist() for rows in deal(sites)] == [[1, 3], [0, 4], [2]]
    assert len(deal(list(range(10)))) == 10


def test_more_sites_are_dealt_to_three_hospitals_by_falling_size() -> None:
    sizes = {site: 30 - site for site in range(11)}
    sites = [site for site, size in sizes.items() for _ in range(size)]
    found = [{sites[row] for row in rows} for rows in deal(sites)]
    assert found == [{0, 3, 6, 9}, {1, 4, 7, 10}, {2, 5, 8}]
    assert sum(len(rows) for rows in deal(sites)) == len(sites)


def test_two_sites_are_too_few() -> None:
    with pytest.raises(Invalid, match="at least 3 sites"):
        deal([1, 2, 1])
