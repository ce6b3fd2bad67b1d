"""Tables of a result that hang together, and every way in which they do not."""

from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.constraints import Order
from marketplace.protocol.schema import Schema
from marketplace.scores.links import asked_rows, link_faults, main_codes, read_tables
from tests.protocol.examples import SCHEMA
from tests.vault.linked import CLINIC, LIVER

VISITS = "patient,sex,followed,day,bilirubin,edema\n"
PERSONS, LABS = "patient,sex,age\n", "patient,days,test,value\n"
GOOD = (PERSONS + "1,male,30\n2,female,\n", LABS + "1,-3,hdl,4\n1,-3,fib4,\n")


def faults(folder: Path, schema: Schema, *texts: str) -> list[str]:
    files = {name: folder / name for name in ("synthetic.csv", "labs.csv")}
    for path, text in zip(files.values(), texts, strict=False):
        path.write_text(text)
    return list(link_faults(read_tables(files, schema), schema))


def test_tables_that_hang_together_have_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, LIVER, *GOOD) == []
    assert faults(tmp_path, LIVER, GOOD[0], LABS) == []
    assert faults(tmp_path, CLINIC, VISITS + "1,male,300,10,3,no\n1,male,300,20,,no\n2,male,0,0,1,no\n") == []
    assert faults(tmp_path, SCHEMA, "sex,ward,age\nfemale,,3.5\n") == []


def test_persons_are_counted_by_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "synthetic.csv").write_text(VISITS + "1,male,300,10,3,no\n1,male,300,20,,no\n2,male,0,0,1,no\n")
    tables = read_tables({"synthetic.csv": tmp_path / "synthetic.csv"}, CLINIC)
    assert asked_rows(tables, CLINIC) == 2
    assert tuple(main_codes(tables, CLINIC).columns) == CLINIC.names and len(main_codes(tables, CLINIC)) == 3


FAULTS = {
    "rows apart": (VISITS + "1,male,0,0,1,no\n2,male,0,0,1,no\n1,male,0,10,1,no\n", "rows of a person are apart"),
    "a number beyond": (VISITS + "1,male,0,0,1,no\n3,male,0,0,1,no\n", "rows of a person are apart, or their number"),
    "more rows than the bound": (
        VISITS + "".join(f"1,male,0,{10 * day},1,no\n" for day in range(5)),
        "synthetic.csv: a person has not 1 to 4 rows",
    ),
    "time that falls": (VISITS + "1,male,0,10,1,no\n1,male,0,0,1,no\n", "not in the order of 'day'"),
    "time that stands still": (VISITS + "1,male,0,10,1,no\n1,male,0,10,1,no\n", "not in the order of 'day'"),
    "what is fixed changes": (VISITS + "1,male,0,0,1,no\n1,female,0,10,1,no\n", "'sex' is not the same in all rows"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_visits_that_do_not_hang_together_are_told(tmp_path: Path, case: str) -> None:
    text, words = FAULTS[case]
    (found,) = faults(tmp_path, CLINIC, text)
    assert words in found


@pytest.mark.parametrize(
    ("labs", "words"),
    [
        ("3,0,hdl,1\n", "labs.csv: rows of a person are apart, or their number is none from 1 to 2"),
        ("".join(f"1,{day},hdl,1\n" for day in range(6)), "labs.csv: a person has not 0 to 5 rows"),
        ("1,5,hdl,1\n1,4,hdl,1\n", "labs.csv: rows of a person are not in the order of 'days'"),
    ],
)
def test_a_further_table_that_does_not_hang_on_its_persons_is_told(tmp_path: Path, labs: str, words: str) -> None:
    (found,) = faults(tmp_path, LIVER, GOOD[0], LABS + labs)
    assert words in found


def test_a_main_table_without_rows_is_none(tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match="expected a result of at least 1 row"):
        faults(tmp_path, LIVER, PERSONS, LABS)


def test_a_row_of_a_further_table_that_breaks_its_constraint_is_told(tmp_path: Path) -> None:
    labs = LIVER.tables[0]
    constrained = replace(labs, schema=replace(labs.schema, constraints=(Order("days", "value"),)))
    (found,) = faults(tmp_path, replace(LIVER, tables=(constrained,)), GOOD[0], LABS + "1,5,hdl,4\n1,5,hdl,5\n")
    assert found == "labs.csv: 1 rows break a constraint"
