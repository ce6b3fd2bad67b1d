"""`agora-node dataset` with several tables, and with visits."""

import json
from pathlib import Path

import pytest

from marketplace.protocol.schema import Schema
from node.commands.datasets import read_places, read_schema
from tests.node.hospital import Hospital, assert_refused, document
from tests.node.terminal import environment, split
from tests.vault.linked import CLINIC, LIVER, clinic_records, declared, liver_records


def test_two_tables_are_drafted_and_listed_from_the_terminal(hospital: Hospital, tmp_path: Path) -> None:
    path, further = liver_records(tmp_path)
    schema, table = tmp_path / "schema.json", ("--table", f"labs={further['labs']}")
    drafting = ("dataset", "draft", str(path), "--out", str(schema), "--person", "patient", *table)
    drafted = document(hospital.type(*drafting, "--timeline", "labs=days", "--json"))
    assert {"sex", "labs/value"} <= set(drafted["columns"])  # type: ignore[call-overload]
    assert [each.name for each in read_schema(schema).tables] == ["labs"]
    adding = ("dataset", "add", str(path), "--title", "Livers", "--rows", "150", "--total-rho", "90000", "--json")
    added = document(hospital.type(*adding, "--schema", str(schema), *table))
    assert added["version"] == 1
    revising = ("dataset", "revise", str(added["dataset"]), str(path), "--title", "Livers", "--rows", "150")
    revised = document(hospital.type(*revising, "--schema", str(declared(LIVER, schema)), *table, "--json"))
    assert revised["version"] == 2
    assert_refused(hospital.type(*adding, "--schema", str(schema)), 2, "expected records of the further tables labs")


def test_visits_are_drafted_from_the_terminal(tmp_path: Path) -> None:
    path, out = clinic_records(tmp_path / "visits.csv"), tmp_path / "schema.json"
    drafting = ("dataset", "draft", str(path), "--out", str(out), "--timeline", "day")
    ended = split((*drafting, "--person", "patient"), environment(tmp_path / "node"))
    assert ended.code == 0 and "bilirubin: " in ended.out
    drafted = Schema.of_document(json.loads(out.read_text()))
    assert drafted.timeline is not None and drafted.fixed == CLINIC.fixed
    assert_refused(split(drafting, environment(tmp_path / "node")), 2, "expected --person beside --table or --timeline")


@pytest.mark.parametrize("given", [("labs",), ("=labs.csv",), ("labs=",), ("labs=a.csv", "labs=b.csv")])
def test_a_further_table_is_named_once_with_its_file(tmp_path: Path, given: tuple[str, ...]) -> None:
    options = tuple(part for text in given for part in ("--table", text))
    adding = ("dataset", "add", "records.csv", "--schema", str(declared(LIVER, tmp_path / "schema.json")))
    ended = split(
        (*adding, "--title", "x", "--rows", "9", "--total-rho", "9", *options), environment(tmp_path / "node")
    )
    assert_refused(ended, 2, "expected each further table once, as NAME=FILE")
    assert read_places(("labs=a=b.csv",)) == {"labs": Path("a=b.csv")}
