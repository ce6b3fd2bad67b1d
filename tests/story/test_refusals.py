"""What the demo cannot be run with: one line, an exit code, and nothing left behind."""

import tempfile
from pathlib import Path

import pytest

from tests.story.running import call, good_rows, write_csv

FINE = good_rows(40)


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's runs put what is temporary."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def refused(cwd: Path, code: int, words: str, *arguments: str) -> str:
    """Runs the demo, sees that it ends as it should, and that nothing came to be. Gives all that was said."""
    before = sorted(cwd.rglob("*"))
    ran = call(*arguments, cwd=cwd)
    assert ran.code == code, ran.err
    assert words in ran.error()
    assert ran.out == ""
    assert sorted(cwd.rglob("*")) == before
    return ran.err


def with_column(name: str, cells: list[object]) -> list[list[object]]:
    """Good rows with one more column."""
    return [[*FINE[0], name], *([*row, cell] for row, cell in zip(FINE[1:], cells, strict=True))]


MANY = [str(number) + "x" for number in range(10_000)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"\n\n", "empty lines"),
        (b"sex,age,sex\nf,1,m\nm,2,f\n", "'sex' more than once"),
        (b"sex,,age\nf,1,2\nm,2,3\n", "none for column 2"),
        (b"sex,age\nf,1\nm,2,3\n", "line 3: expected 2 cells as in the header, got 3"),
        ("sex,age\nmännlich,1\n".encode() + "männlich,2\n".encode("latin-1"), "line 3: expected UTF-8"),
        (b"sex,age\nf,1\n", "at least 2 records below the header, got 1"),
        (b"sex,age\n", "at least 2 records below the header, got 0"),
        (b"age\n1\n2\n", "at least 2 columns, got 1"),
        (b"sex;age\nf;1\n", "separated by commas"),
        (b'sex,age\n"f,1\nm,2\n', "RFC 4180"),
        (b"1,2\n3,4\n", "a first line of numbers"),
        (b"PAR1 and so on", "Parquet"),
    ],
)
def test_a_file_that_is_no_table_is_invalid(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    refused(tmp_path, 2, words, "--data", "mine.csv")


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("weight", [""] * 40, "'weight' (all missing)"),
        ("weight", ["inf", *range(39)], "infinite"),
        ("weight", [1, 2, "-Infinity", *range(37)], "infinite"),
        ("weight", [10**30 + 7 * number**2 for number in range(40)], "digits"),
        ("email", [f"{number}@example.org" for number in range(40)], "'email'"),
        ("patient_name", [f"person {number}" for number in range(40)], "'patient_name'"),
        ("running", list(range(1, 41)), "'running'"),
    ],
)
def test_a_column_that_cannot_be_declared_is_invalid_and_named(
    tmp_path: Path, name: str, cells: list[object], words: str
) -> None:
    write_csv(tmp_path / "mine.csv", with_column(name, cells))
    said = refused(tmp_path, 2, words, "--data", "mine.csv")
    assert "exclude" in said


def test_ten_thousand_categories_are_invalid(tmp_path: Path) -> None:
    rows = [["code", "sex"], *([MANY[number % 10_000], "fm"[number % 2]] for number in range(30_000))]
    write_csv(tmp_path / "mine.csv", rows)
    refused(tmp_path, 2, "10000 categories, more than 1000", "--data", "mine.csv")


def test_no_message_carries_a_cell(tmp_path: Path) -> None:
    cells: list[object] = [f"secret{number}@example.org" for number in range(40)]
    write_csv(tmp_path / "mine.csv", with_column("email", cells))
    said = refused(tmp_path, 2, "'email'", "--data", "mine.csv")
    assert "secret" not in said


def test_a_file_that_is_not_there_is_invalid(tmp_path: Path) -> None:
    refused(tmp_path, 2, "readable file of records, got 'nothing.csv'", "--data", "nothing.csv")
    refused(tmp_path, 2, "readable file of records", "--data", "temporary")


@pytest.mark.parametrize("option", ["--person", "--exclude"])
def test_a_column_that_is_not_in_the_file_is_invalid(tmp_path: Path, option: str) -> None:
    write_csv(tmp_path / "mine.csv", FINE)
    refused(tmp_path, 2, "expected a column of the file, got 'blood'", "--data", "mine.csv", option, "blood")


def test_the_person_column_cannot_be_excluded_too(tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", FINE)
    options = ("--data", "mine.csv", "--person", "ward", "--exclude", "ward")
    refused(tmp_path, 2, "person column 'ward'", *options)


def test_too_few_columns_left_are_invalid(tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", FINE)
    excluded = [word for name in ("sex", "age", "ward") for word in ("--exclude", name)]
    refused(tmp_path, 2, "at least 2 columns", "--data", "mine.csv", *excluded)


@pytest.mark.parametrize("option", ["--person", "--exclude"])
def test_options_for_a_file_need_a_file(tmp_path: Path, option: str) -> None:
    refused(tmp_path, 2, "together with --data", option, "ward")


@pytest.mark.parametrize(
    ("epsilon", "words"),
    [
        ("0", "epsilon above 0, got 0.0"),
        ("-1", "epsilon above 0, got -1.0"),
        ("nan", "epsilon above 0, got nan"),
        ("inf", "epsilon above 0, got inf"),
        ("1e-9", "at least one micro-rho"),
        ("11", "epsilon of at most 10"),
        ("1000", "epsilon of at most 100"),
    ],
)
def test_an_epsilon_that_nobody_can_promise_is_invalid(tmp_path: Path, epsilon: str, words: str) -> None:
    refused(tmp_path, 2, words, "--epsilon", epsilon)


def test_an_epsilon_that_is_no_number_is_a_matter_of_usage(tmp_path: Path) -> None:
    ran = call("--epsilon", "much", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")


def test_a_rho_that_does_not_pay_for_the_work_is_refused_before_there_is_a_ledger(tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", FINE)
    for epsilon in ("0.01", "0.02", "0.03"):
        said = refused(tmp_path, 3 if epsilon != "0.01" else 2, "expected", "--data", "mine.csv", "--epsilon", epsilon)
        assert "The stage" not in said


def test_the_records_that_come_along_need_a_rho_too(tmp_path: Path) -> None:
    said = refused(tmp_path, 3, "for 14 columns", "--epsilon", "0.05")
    assert "The stage" not in said


@pytest.mark.parametrize("rows", ["0", "-5", "10000001"])
def test_rows_that_nobody_can_have_are_invalid(tmp_path: Path, rows: str) -> None:
    refused(tmp_path, 2, f"1 to 10000000 rows, got {rows}", "--rows", rows)


def test_more_rows_than_a_node_makes_are_invalid(tmp_path: Path) -> None:
    write_csv(tmp_path / "mine.csv", FINE)
    refused(tmp_path, 2, "at most 400 rows, 10 for each declared row, got 401", "--data", "mine.csv", "--rows", "401")


SPLIT = {"--split": "ward", "--duration": "score", "--event": "sex", "--group": "age"}
WHOLE = ("--data", "mine.csv", *(word for pair in SPLIT.items() for word in pair))


@pytest.mark.parametrize("lacking", ["--data", *SPLIT])
def test_a_split_names_a_file_and_all_of_its_columns(tmp_path: Path, lacking: str) -> None:
    words = [word for pair in {"--data": "mine.csv", **SPLIT}.items() if pair[0] != lacking for word in pair]
    refused(tmp_path, 2, f"got no {lacking}; name a file and its columns", *words)


@pytest.mark.parametrize(
    "option",
    [("--grid", "30"), ("--cell", "12"), ("--public",), ("--missing-site", "drop")],
    ids=lambda option: option[0],
)
def test_what_goes_with_a_split_goes_with_nothing_else(tmp_path: Path, option: tuple[str, ...]) -> None:
    refused(tmp_path, 2, "got no --split, --duration, --event, --group", "--data", "mine.csv", *option)


@pytest.mark.parametrize(
    "option", [("--person", "id"), ("--exclude", "id"), ("--rows", "30")], ids=lambda option: option[0]
)
def test_what_goes_with_rows_does_not_go_with_a_split(tmp_path: Path, option: tuple[str, ...]) -> None:
    refused(tmp_path, 2, "without --split", *WHOLE, *option)


@pytest.mark.parametrize("grid", ["0", "-3", "nan", "inf", "wide"])
def test_a_grid_of_no_width_is_invalid(tmp_path: Path, grid: str) -> None:
    refused(tmp_path, 2, "--grid", *WHOLE, "--grid", grid)


@pytest.mark.parametrize("cell", ["1", "9"])
def test_a_smaller_cell_than_ten_is_refused_unless_the_file_is_public(tmp_path: Path, cell: str) -> None:
    refused(tmp_path, 3, f"at least 10, got {cell}; give a larger --cell, or say --public", *WHOLE, "--cell", cell)
    refused(tmp_path, 2, "readable file of records", *WHOLE, "--cell", cell, "--public")


@pytest.mark.parametrize("cell", ["0", "-1"])
def test_a_cell_of_nobody_is_invalid_for_public_data_too(tmp_path: Path, cell: str) -> None:
    refused(tmp_path, 2, f"at least 1, got {cell}", *WHOLE, "--cell", cell, "--public")


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    options = ("--split", "ward", "--duration", "score", "--event", "ward", "--group", "age")
    refused(tmp_path, 2, "four different columns", "--data", "mine.csv", *options)


def test_rows_without_a_site_end_the_demo_before_there_is_a_market(tmp_path: Path) -> None:
    rows = [["ward", "score", "sex", "age"], *([["a", "b", "c", ""][n % 4], n, n % 2, "xy"[n % 2]] for n in range(40))]
    write_csv(tmp_path / "mine.csv", rows)
    said = refused(tmp_path, 2, "'ward' has none in 10; fill them in, or say --missing-site drop", *WHOLE)
    assert "nodes with keys" not in said


def test_a_site_policy_that_is_none_is_a_matter_of_usage(tmp_path: Path) -> None:
    assert call(*WHOLE, "--missing-site", "guess", cwd=tmp_path).code == 2


def test_an_out_that_is_a_file_is_invalid_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    refused(tmp_path, 2, "found a file", "--out", "out")
    refused(tmp_path, 2, "found a file", "--out", "out/inside")
    assert (tmp_path / "out").read_text() == "mine"


def test_an_out_with_files_of_ones_own_is_invalid_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text("{}")
    refused(tmp_path, 2, "found other files", "--out", "out")
    refused(tmp_path, 2, "found other files", "--out", ".")
    assert (tmp_path / "out" / "manifest.json").read_text() == "{}"


def test_an_out_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    ran = call("--out", "/proc/agora-demo", cwd=tmp_path)
    assert ran.code in (3, 5)
    assert "agora-demo" in ran.error()
