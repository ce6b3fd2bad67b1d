"""Comparisons, variants and tests of tables in the closed lane over three hospitals, beside scipy on the pooled records."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency, mannwhitneyu, ttest_ind

from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, Welch
from marketplace.protocol.analysis_counts import Contingency
from marketplace.protocol.analysis_genetics import AlleleFrequencies, CaseControl, Variant
from marketplace.protocol.closing_cells import ClosedTable
from marketplace.protocol.schema import Category, Schema
from scripts.story.lung import LUNG
from tests.mpc.test_closed_answers import POOLED, answered, answered_by

GENES = Schema(
    (
        Category("case", ("no", "yes"), False),
        *(Category(name, ("0", "1", "2"), True) for name in ("rs1", "rs2", "rs3")),
    ),
    None,
    1,
)
VARIANTS = tuple(Variant(name, "7", place) for place, name in enumerate(("rs1", "rs2", "rs3")))
GENOTYPES = {
    "rs1": ((120, 90, 40), (70, 80, 30)),
    "rs2": ((150, 80, 20), (110, 66, 4)),
    "rs3": ((240, 9, 1), (170, 10, 0)),
}


def rows_of(tables: Mapping[str, Sequence[Sequence[int]]], groups: str, parties: int) -> list[dict[str, np.ndarray]]:
    """Records with these tables of a column by `groups`, dealt to parties."""
    table = {name: np.array(counts) for name, counts in tables.items()}
    first = next(iter(table.values()))
    codes = {groups: np.repeat(range(len(first)), first.sum(axis=1))}
    for name, counts in table.items():
        codes[name] = np.concatenate([np.repeat(range(counts.shape[1]), row) for row in counts])
    drawn = np.random.default_rng(3).permutation(len(codes[groups])) % parties
    return [{name: column[drawn == party] for name, column in codes.items()} for party in range(parties)]


def group(name: str, code: int) -> np.ndarray:
    return POOLED[name][POOLED["sex"] == code]


def test_welch_is_scipys_where_both_groups_are_large_enough(tmp_path: Path) -> None:
    found = answered(Welch("time", "sex", "1", "2"), tmp_path / "a", cell=80)
    true = ttest_ind(group("time", 0), group("time", 1), equal_var=False)
    assert isinstance(found, Difference) and found.rows == (len(group("time", 0)), len(group("time", 1)))
    assert (found.statistic, found.p) == (pytest.approx(true.statistic), pytest.approx(true.pvalue))
    assert answered(Welch("time", "sex", "1", "2"), tmp_path / "b", cell=100) is None


def test_ranks_are_scipys_where_both_groups_are_large_enough(tmp_path: Path) -> None:
    asked = MannWhitney("time", "sex", "1", "2", 40)
    found = answered(asked, tmp_path / "a", cell=80)
    bins = [np.searchsorted(asked.starts(LUNG), group("time", code), side="right") for code in (0, 1)]
    true = mannwhitneyu(*bins, method="asymptotic", use_continuity=False)
    assert found.values is not None and found.values[0] == true.statistic / np.prod(found.rows)
    assert found.p == pytest.approx(true.pvalue, rel=1e-4)
    assert answered(asked, tmp_path / "b", cell=100) is None


def test_a_table_with_a_closed_cell_is_tested_where_values_are_taken_together(tmp_path: Path) -> None:
    table = ((4, 40, 25), (32, 43, 50), (39, 50, 60))
    schema = Schema((Category("site", ("a", "b", "c"), False), Category("stage", ("I", "II", "III"), False)), None, 1)
    found = answered_by(Contingency("site", "stage"), schema, rows_of({"stage": table}, "site", 3), tmp_path)
    assert isinstance(found, ClosedTable)
    assert found.counts == ((None, None, 25), (None, None, 50), (39, 50, 60))
    assert found.merged == ((44, 25), (75, 50), (89, 60)) and found.columns == ((0, 1), (2,))
    true = chi2_contingency(found.merged, correction=False)
    assert (found.statistic, found.freedom) == (pytest.approx(true.statistic), true.dof)


def test_variants_are_told_as_far_as_no_genotype_has_too_few_rows(tmp_path: Path) -> None:
    parts = rows_of(GENOTYPES, "case", 3)
    found = answered_by(CaseControl("case", "yes", VARIANTS), GENES, parts, tmp_path / "a")
    (true,) = (np.array(GENOTYPES["rs1"]),)
    alleles = [(2 * a + b, b + 2 * c) for a, b, c in true]
    assert found[0].rows == (250, 180)
    assert found[0].allelic == pytest.approx(chi2_contingency(alleles, correction=False).statistic)
    assert found[0].trend is not None
    assert found[1].frequencies == (pytest.approx(120 / 500), pytest.approx(74 / 360))
    assert found[1].allelic is not None and found[1].trend is None
    assert found[2].rows is None and found[2].frequencies is None
    told = answered_by(AlleleFrequencies(VARIANTS), GENES, parts, tmp_path / "b")
    assert [one.rows for one in told] == [430, 430, None]
    assert told[1].frequency == pytest.approx(194 / 860)
    assert told[0].error == pytest.approx(np.sqrt(np.var(np.repeat([0, 0.5, 1], true.sum(axis=0))) / 430))
