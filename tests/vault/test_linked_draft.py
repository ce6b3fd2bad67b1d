"""Drafts of linked schemas, from files of visits and of several tables."""

from pathlib import Path

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema, Timeline
from node.vault.linked_draft import draft_linked
from node.vault.vault import Vault
from tests.vault.examples import Box
from tests.vault.linked import clinic_records, liver_records


def taken_in(folder: Path, schema: Schema, path: Path, further: dict[str, Path]) -> int:
    with Vault(folder / "vault", Box()) as vault:
        return vault.take_in(path, schema, further=further).persons


def test_visits_are_drafted_with_what_is_alike_in_a_person(tmp_path: Path) -> None:
    path = clinic_records(tmp_path / "visits.csv")
    schema = draft_linked(path, {}, {"": "day"}, person="patient").schema()
    assert schema.timeline == Timeline("day", strict=False)
    assert schema.fixed == ("sex", "followed")
    assert schema.names == ("sex", "followed", "day", "bilirubin", "edema")
    assert taken_in(tmp_path, schema, path, {}) == 120


def test_further_tables_are_drafted_under_the_same_person(tmp_path: Path) -> None:
    path, further = liver_records(tmp_path)
    found = draft_linked(path, further, {"labs": "days"}, person="patient", exclude=("test",))
    schema = found.schema()
    (labs,) = schema.tables
    assert (schema.names, labs.name, labs.schema.names) == (("sex", "age"), "labs", ("days", "value"))
    assert labs.schema.timeline == Timeline("days", strict=False) and schema.timeline is None
    assert labs.schema.rows_per_person > 1 == schema.rows_per_person


def test_both_tables_of_a_draft_can_be_taken_in_as_they_are(tmp_path: Path) -> None:
    path, further = liver_records(tmp_path)
    schema = draft_linked(path, further, {"labs": "days"}, person="patient").schema()
    assert taken_in(tmp_path, schema, path, further) == 150


@pytest.mark.parametrize(
    ("timelines", "exclude", "words"),
    [
        ({"stays": "days"}, (), "expected tables and columns of the files, got 'stays'"),
        ({"labs": "days"}, ("height",), "expected tables and columns of the files, got 'height'"),
        ({"labs": "test"}, (), "column 'test': expected a number that is never missing as the timeline"),
        ({}, (), "table 'labs': expected 1 row per person or a timeline"),
    ],
)
def test_a_draft_that_names_what_is_not_there_is_refused(
    tmp_path: Path, timelines: dict[str, str], exclude: tuple[str, ...], words: str
) -> None:
    path, further = liver_records(tmp_path)
    with pytest.raises(Invalid, match=words):
        draft_linked(path, further, timelines, person="patient", exclude=exclude).schema()
