"""A review of rows under persons looks at every table, and at how rows hang together."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from node.evaluation.report import Subject
from node.evaluation.review_page import review_page
from node.evaluation.reviewed import Review, review_tables
from tests.evaluation.tables import SCHEMA, arrow, records, specification
from tests.synthesis.linked import Person, nested, some_persons
from tests.vault.linked import CLINIC, LIVER

SUBJECT = Subject("Livers", "Ward 7", "ab" * 32, LIVER.unit, 100, 2, 300)
WORKLOAD = Workload((("labs/test", "labs/value"), ("sex", "age")))


def reviewed(schema: Schema, made: list[Person]) -> Review:
    tables = [nested(schema, persons) for persons in (some_persons(schema, 160, 1), some_persons(schema, 60, 2), made)]
    wishes = replace(specification(None, 100), workload=WORKLOAD if schema is LIVER else Workload())
    return review_tables(tables[0], tables[1], tables[2], schema, wishes, 7)


@pytest.fixture(scope="module")
def livers() -> Review:
    return reviewed(LIVER, some_persons(LIVER, 100, 3))


def test_every_table_is_looked_into_and_how_rows_hang_together(livers: Review) -> None:
    (labs,), (links,) = livers.further, livers.links
    assert labs.table == "labs" == links.scores.strand and labs.evaluation is not None
    names = {each.name.split(",")[0] for each in labs.evaluation.utility}
    assert names == {"test"} and "sex" in {each.name.split(",")[0] for each in livers.main.utility}
    assert len(labs.evaluation.attacks) > 1 and labs.evaluation.fidelity


def test_the_page_shows_each_table_by_name(livers: Review) -> None:
    page = review_page(SUBJECT, LIVER, None, livers).decode()
    for title in ("Prediction", "Rows under persons", "labs: Prediction", "labs: Where the rows lie", "labs: Attacks"):
        assert f">{title}<" in page
    assert "labs: how many rows a person has" in page and "labs: the time from a row to the next" in page
    assert "<script" not in page


def test_the_numbers_of_all_tables_stay_in_one_file(livers: Review) -> None:
    found = json.loads(livers.encode())
    assert found["audience"] == "provider only" and found["utility"]
    assert found["further"][0]["table"] == "labs" and found["further"][0]["evaluation"]["fidelity"]
    assert found["links"][0]["scores"]["strand"] == "labs"
    assert "Review: provider only" in repr(livers)


def test_a_table_with_few_rows_is_named_as_not_looked_into() -> None:
    sick = [(fixed, ()) for fixed, _ in some_persons(LIVER, 100, 3)]
    found = reviewed(LIVER, [(fixed, ((),)) for fixed, _ in sick])
    assert found.further[0].evaluation is None
    assert "Not looked into: fewer than 40 rows." in review_page(SUBJECT, LIVER, None, found).decode()


def test_visits_are_the_main_tables_rows() -> None:
    found = reviewed(CLINIC, some_persons(CLINIC, 100, 3))
    assert found.further == () and found.links[0].scores.strand == "synthetic"
    assert "synthetic: how far a value tells the next" in review_page(SUBJECT, CLINIC, None, found).decode()


def test_a_plain_tables_review_is_what_it_was_and_few_records_are_refused() -> None:
    tables: list[pa.Table] = [arrow(records(200, number)) for number in range(3)]
    found = review_tables(tables[0], tables[1], tables[2], SCHEMA, specification(None, 200), 7)
    assert (found.further, found.links) == ((), ()) and found.encode() == found.main.encode()
    with pytest.raises(Invalid, match="expected 40 training records"):
        review_tables(tables[0], tables[1].slice(0, 39), tables[2], SCHEMA, specification(None, 200), 7)
