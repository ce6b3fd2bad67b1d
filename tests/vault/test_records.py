"""Reading files of records: what is read, and everything that is not."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketplace.errors import Invalid
from node.vault.records import BATCH_ROWS, open_records
from tests.vault.examples import written

SECRET = "hushhush"


def read(path: Path) -> list[tuple[str, ...]]:
    records = open_records(path)
    rows: list[tuple[str, ...]] = []
    for batch in records.batches(records.names):
        assert batch.first == len(rows) + 1
        rows += zip(*batch.columns, strict=True)
    return rows


def refusal(path: Path) -> str:
    with pytest.raises(Invalid) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert SECRET not in message
    return message


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\n1,x\n2,y",
        "a,b\n1,x\n2,y\n\n\n",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        '"a","b"\n"1","x"\n2,"y"\n',
    ],
)
def test_line_ends_quotes_and_a_byte_order_mark_make_no_difference(tmp_path: Path, text: str | bytes) -> None:
    assert read(written(tmp_path / "r.csv", text)) == [("1", "x"), ("2", "y")]


def test_quoted_cells_keep_commas_quotes_line_ends_and_spaces(tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", 'a,b\n"x, ""y""","1\n2"\n é ,\n')
    assert read(path) == [('x, "y"', "1\n2"), (" é ", "")]


def test_more_records_than_a_batch_arrive_in_order(tmp_path: Path) -> None:
    count = 2 * BATCH_ROWS + 7
    path = written(tmp_path / "r.csv", "a,b\n" + "".join(f"{i},x\n" for i in range(count)))
    assert [row[0] for row in read(path)] == [str(i) for i in range(count)]


def test_only_the_wanted_columns_come_in_the_order_asked_for(tmp_path: Path) -> None:
    records = open_records(written(tmp_path / "r.csv", "a,b,c\n1,2,3\n4,5,6\n"))
    assert [batch.columns for batch in records.batches(["c", "a"])] == [(("3", "6"), ("1", "4"))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty file"),
        ("\n\n", "header"),
        ("1,2.5,3\n4,5,6\n7,8,9\n", "header of column names"),
        ("a,b,a\n1,2,3\n4,5,6\n", "'a' more than once"),
        ("a,,c,\n1,2,3,4\n4,5,6,7\n", "none for column 2, 4"),
        ("a, b\n1,2\n3,4\n", "without spaces around them, got others for column 2"),
        ("a\x00,b\n1,2\n3,4\n", "printable"),
        ("a;b\n1;2\n3;4\n", "another separator"),
        (f"a\n{SECRET}\n2\n", "at least 2 columns, got 1"),
        ("a,b\n", "at least 2 records below the header, got 0"),
        ("a,b\n", "at least 2 records"),
        (f"a,b\n1,{SECRET}\n", "at least 2 records below the header, got 1"),
        (f"a,b\n1,2\n3,{SECRET},5\n6,7\n", "line 3: expected 2 cells as in the header, got 3"),
        (f"a,b\n1,2\n{SECRET}\n6,7\n", "line 3: expected 2 cells as in the header, got 1"),
        (f'a,b\n"1\n1",2\n{SECRET}\n6,7\n', "line 4: expected 2 cells"),
        (f"a,b\n1,2\n\n{SECRET},4\n", "line 3: expected a record, got an empty line"),
        (f'a,b\n1,2\n"{SECRET}"x,4\n', "line 3: expected cells quoted as in RFC 4180"),
        (f'a,b\n1,2\n"{SECRET},4\n', "quoted as in RFC 4180"),
        (b"a,b\n1,2\n\xe9,hushhush\n", "line 3: expected UTF-8"),
        ("é,b\n1,2\n3,4\n".encode() + "é,hushhush\n".encode("latin-1"), "line 4: expected UTF-8"),
        ("a,b\n1,2\n3,4\n".encode("utf-16"), "line 1: expected UTF-8"),
    ],
)
def test_an_unusable_csv_is_refused_in_one_line_without_a_value(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(written(tmp_path / "r.csv", text))


def test_a_late_ragged_row_is_named_by_its_line(tmp_path: Path) -> None:
    text = "a,b\n" + "1,2\n" * (BATCH_ROWS + 5) + f"{SECRET}\n"
    assert f"line {BATCH_ROWS + 7}:" in refusal(written(tmp_path / "r.csv", text))


def test_a_late_wrong_byte_is_named_by_its_line(tmp_path: Path) -> None:
    text = b"a,b\n" + b"1,2\n" * 50_000 + b"\xff,2\n"
    assert "line 50002:" in refusal(written(tmp_path / "r.csv", text))


def test_a_file_that_is_not_there_or_is_a_folder_is_invalid(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "r.csv")
    assert "directory" in refusal(tmp_path)


def parquet(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_gives_the_texts_that_csv_would(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "r.parquet",
        whole=pa.array([1, None]),
        real=pa.array([0.1, float("nan")]),
        single=pa.array([0.1, None], pa.float32()),
        text=pa.array(["x", ""]),
        truth=pa.array([True, False]),
        level=pa.array(["low", None]).dictionary_encode(),
        day=pa.array([0, None], pa.date32()),
        nothing=pa.nulls(2),
    )
    assert read(path) == [
        ("1", "0.1", "0.1", "x", "true", "low", "1970-01-01", ""),
        ("", "nan", "", "", "false", "", "", ""),
    ]


def test_a_parquet_name_with_a_point_is_a_name(tmp_path: Path) -> None:
    path = parquet(tmp_path / "r", **{"a.b": pa.array([1, 2]), "a": pa.array([3, 4])})
    assert [batch.columns for batch in open_records(path).batches(["a", "a.b"])] == [(["3", "4"], ["1", "2"])]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([[SECRET], []]), "nested values"),
        (pa.array([{SECRET: 1}, {SECRET: 2}]), "nested values"),
        (pa.array([b"hushhush", b""]), "binary"),
        (pa.array([0, 1], pa.timestamp("us")), "timestamp"),
    ],
)
def test_a_parquet_column_without_a_plain_text_is_refused_by_name(tmp_path: Path, column: pa.Array, said: str) -> None:
    message = refusal(parquet(tmp_path / "r", a=pa.array([1, 2]), b=column))
    assert "column 'b'" in message
    assert said in message


def test_a_nested_parquet_column_that_nobody_wants_does_no_harm(tmp_path: Path) -> None:
    path = parquet(tmp_path / "r", a=pa.array([1, 2]), b=pa.array([[1], []]))
    assert [batch.columns for batch in open_records(path).batches(["a"])] == [(["1", "2"],)]


def test_a_damaged_parquet_file_is_invalid(tmp_path: Path) -> None:
    path = parquet(tmp_path / "r", a=pa.array(range(1000)), b=pa.array(range(1000)))
    whole = path.read_bytes()
    written(path, whole[:-20])
    assert "cannot be decoded" in refusal(path)
    written(path, whole[:50] + bytes(200) + whole[250:])
    assert "cannot be decoded" in refusal(path)


def test_a_parquet_file_of_one_row_or_one_column_is_invalid(tmp_path: Path) -> None:
    assert "at least 2 records" in refusal(parquet(tmp_path / "one", a=pa.array([1]), b=pa.array([1])))
    assert "at least 2 columns" in refusal(parquet(tmp_path / "two", a=pa.array([1, 2])))
