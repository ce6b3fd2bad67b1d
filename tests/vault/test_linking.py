"""Tables brought together under persons: bounds, order in time, neighbours, and what is refused."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.schema import Category, Number, Schema, Table, Timeline
from node.nesting import Rows, flat_tables, main_table, nest, nested_type, rows_of, strands_of
from node.vault import snapshot as snapshots
from node.vault.bounding import SECRET_BYTES, identity_of
from node.vault.coding import Coded
from node.vault.linking import Linked, link
from node.vault.vault import Vault
from tests.vault.examples import Box
from tests.vault.linked import CLINIC, HIDDEN, LIVER, clinic_records, liver_records

SECRET = bytes(range(SECRET_BYTES))
ORDER = b"o" * 32

LAB = st.tuples(st.integers(0, 100), st.integers(0, 1), st.integers(-1, 30))
PERSON = st.tuples(st.tuples(st.integers(0, 1), st.integers(-1, 9)), st.lists(LAB, max_size=8))
HOSPITAL = st.dictionaries(st.integers(0, 50), PERSON, min_size=1, max_size=8)
"""Persons by their number: a row of the main table and rows of the tests."""


def coded(rows: list[tuple[int, tuple[int, ...]]], width: int) -> Coded:
    codes = np.array([row for _, row in rows], np.int32).reshape(-1, width)
    return Coded(codes, [identity_of(str(person), SECRET) for person, _ in rows])


def linked(hospital: dict[int, tuple[tuple[int, int], list[tuple[int, int, int]]]], percent: int = 0) -> Linked:
    main = [(person, row) for person, (row, _) in hospital.items()]
    labs = [(person, lab) for person, (_, found) in hospital.items() for lab in found]
    return link((coded(main, 2), coded(labs, 3)), LIVER, SECRET, holdout_percent=percent)


def by_identity(found: Linked) -> dict[tuple[int, ...], object]:
    lines = found.table.to_pylist()
    return {tuple(tag): line for tag, line in zip(found.persons.identity.tolist(), lines, strict=True)}


@settings(max_examples=50, deadline=None)
@given(HOSPITAL, st.integers(0, 50), PERSON)
def test_a_person_more_changes_no_other_line_and_no_other_side(
    hospital: dict[int, tuple[tuple[int, int], list[tuple[int, int, int]]]],
    number: int,
    person: tuple[tuple[int, int], list[tuple[int, int, int]]],
) -> None:
    without = {other: rows for other, rows in hospital.items() if other != number}
    here, there = linked({**without, 51: ((0, 0), [])}, 30), linked({**without, 51: ((0, 0), []), number: person}, 30)
    one, other = by_identity(here), by_identity(there)
    assert len(other) == len(one) + 1
    assert all(other[identity] == line for identity, line in one.items())
    sides = [
        dict(zip(map(tuple, side.persons.identity.tolist()), side.persons.held_out.tolist(), strict=True))
        for side in (here, there)
    ]
    assert all(sides[1][identity] == side for identity, side in sides[0].items())


@settings(max_examples=50, deadline=None)
@given(HOSPITAL, st.randoms())
def test_the_first_rows_in_time_are_used_whatever_the_order_of_the_file(
    hospital: dict[int, tuple[tuple[int, int], list[tuple[int, int, int]]]], random: st.randoms
) -> None:
    shuffled = {person: (row, random.sample(labs, len(labs))) for person, (row, labs) in hospital.items()}
    found = by_identity(linked(hospital))
    assert by_identity(linked(shuffled)) == found
    for person, (_, labs) in hospital.items():
        tag = tuple(np.frombuffer(identity_of(str(person), SECRET), ">u8").tolist())
        line = found[tag]
        assert isinstance(line, dict)
        used = [tuple(-1 if cell is None else cell for cell in lab.values()) for lab in line["agora:labs"]]
        assert used == sorted(labs)[:5]


def test_a_nested_table_falls_into_the_tables_of_a_result_and_comes_back() -> None:
    table = linked({0: ((1, 3), [(5, 0, 2), (4, 1, -1)]), 1: ((0, -1), [])}).table
    main, labs = flat_tables(table, LIVER)
    assert main.column_names == ["patient", "sex", "age"] and labs.column_names == ["patient", "days", "test", "value"]
    assert main_table(table, LIVER).column_names == ["sex", "age"]
    assert labs.num_rows == 2 and set(labs.column("patient").to_pylist()) <= {0, 1}
    assert labs.column("days").to_pylist() == [4, 5] and labs.column("value").to_pylist() == [None, 2]
    assert table.schema == nested_type(LIVER)
    (strand,) = strands_of(LIVER)
    rows = rows_of(table, strand)
    persons = np.array([[0, -1], [1, 3]] if rows.counts[0] == 0 else [[1, 3], [0, -1]], np.int32)
    assert nest(LIVER, persons, [rows]).equals(table)


def test_visits_keep_what_is_fixed_beside_them() -> None:
    rows = [(1, (0, 7, 5, 3, 1)), (2, (1, 9, 1, -1, 0)), (1, (0, 7, 2, 4, 0))]
    table = link((coded(rows, 5),), CLINIC, SECRET, holdout_percent=0).table
    assert table.column_names == ["sex", "followed", "agora:synthetic"]
    (main,) = flat_tables(table, CLINIC)
    found = sorted(zip(*(main.column(name).to_pylist() for name in CLINIC.names), strict=True))
    assert found == [(0, 7, 2, 4, 0), (0, 7, 5, 3, 1), (1, 9, 1, None, 0)]


def test_rows_that_differ_in_what_is_fixed_are_refused() -> None:
    rows = [(1, (0, 7, 5, 3, 1)), (1, (1, 8, 2, 4, 0))]
    with pytest.raises(Invalid, match="expected 'sex', 'followed' to be alike in all rows of a person"):
        link((coded(rows, 5),), CLINIC, SECRET, holdout_percent=0)


def test_two_rows_at_one_time_are_refused_where_the_timeline_is_strict_and_taken_where_it_is_not() -> None:
    rows = [(1, (0, 7, 5, 3, 1)), (1, (0, 7, 5, 4, 0))]
    with pytest.raises(Invalid, match="column 'day': expected no two rows of a person at one time, 1 rows are"):
        link((coded(rows, 5),), CLINIC, SECRET, holdout_percent=0)
    weak = replace(CLINIC, timeline=Timeline("day", strict=False))
    assert link((coded(rows, 5),), weak, SECRET, holdout_percent=0).rows == 2


def test_a_person_who_stands_twice_in_a_table_without_a_timeline_is_refused() -> None:
    main, labs = coded([(1, (0, 3)), (2, (1, 3)), (1, (0, 3))], 2), coded([(1, (5, 0, 2))], 3)
    with pytest.raises(
        Invalid, match="table 'synthetic': expected every person once where rows have no timeline, 1 rows"
    ):
        link((main, labs), LIVER, SECRET, holdout_percent=0)
    stay = Schema((Category("ward", ("a", "b"), False),), "patient", 1)
    stays = coded([(1, (0,)), (1, (1,)), (2, (0,)), (1, (1,))], 1)
    with pytest.raises(Invalid, match="table 'stays': expected every person once where rows have no timeline, 2 rows"):
        link(
            (coded([(1, (0, 3)), (2, (1, 3))], 2), stays),
            replace(LIVER, tables=(Table("stays", stay),)),
            SECRET,
            holdout_percent=0,
        )


def test_rows_under_no_person_are_refused_with_their_number() -> None:
    main, labs = coded([(1, (0, 3))], 2), coded([(1, (5, 0, 2)), (2, (5, 0, 2)), (3, (5, 0, 2))], 3)
    with pytest.raises(Invalid, match="table 'labs': expected every row under a person of the main table, 2 rows"):
        link((main, labs), LIVER, SECRET, holdout_percent=0)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", Box())


def test_two_tables_are_taken_in_drawn_and_held_out_by_person(tmp_path: Path, vault: Vault) -> None:
    path, further = liver_records(tmp_path)
    taken = vault.take_in(
        path, LIVER, further=further, holdout_percent=20
    )  # of 150 persons, none with a chance of 3e-15
    vault.account.raise_total(taken.dataset, 10)
    draw = vault.draw(ORDER, taken.dataset, 1, 10)
    assert (taken.rows_read, taken.rows, taken.persons) == (150, 150, 150)
    assert draw.training.num_rows + draw.holdout.num_rows == 150 and draw.holdout.num_rows == taken.holdout_rows > 0
    labs = rows_of(draw.training, strands_of(LIVER)[0])
    assert labs.counts.max() == 5 and labs.counts.min() == 0
    assert HIDDEN not in str(draw.training.to_pylist())


def test_who_opts_out_is_out_of_every_table(tmp_path: Path, vault: Vault) -> None:
    path, further = liver_records(tmp_path)
    taken = vault.take_in(path, LIVER, further=further, holdout_percent=0)
    vault.account.raise_total(taken.dataset, 20)
    whole = vault.draw(ORDER, taken.dataset, 1, 10).training
    vault.note_opt_outs(taken.dataset, [f"{HIDDEN}{person}" for person in range(100)], out=True, at_s=1)
    left = vault.draw(b"p" * 32, taken.dataset, 1, 10).training
    assert left.num_rows == 50
    assert rows_of(left, strands_of(LIVER)[0]).counts.sum() < rows_of(whole, strands_of(LIVER)[0]).counts.sum()


@pytest.mark.parametrize("given", [(), ("labs", "stays"), ("stays",)])
def test_records_of_just_the_declared_tables_have_to_be_there(
    tmp_path: Path, vault: Vault, given: tuple[str, ...]
) -> None:
    path, further = liver_records(tmp_path)
    with pytest.raises(Invalid, match="expected records of the further tables labs, got those of"):
        vault.take_in(path, LIVER, further=dict.fromkeys(given, further["labs"]))


def test_a_missing_person_key_is_refused_in_each_table(tmp_path: Path, vault: Vault) -> None:
    path, further = liver_records(tmp_path)
    further["labs"].write_text(further["labs"].read_text() + ",3,hdl,7\n")
    with pytest.raises(Invalid, match="person column 'patient': 1 missing cells"):
        vault.take_in(path, LIVER, further=further)
    visits = clinic_records(tmp_path / "visits.csv")
    visits.write_text(visits.read_text().replace("patient,", "subject,", 1))
    with pytest.raises(Invalid, match="expected the person column 'patient' in the file"):
        vault.take_in(visits, CLINIC)


CLINIC_HEADS = "patient,sex,followed,day,bilirubin,edema"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p,male,100,,3,no", "column 'day'"),
        ("p,male,100,110,3,no", "constraint"),
        ("p,male,100,5000,3,no", "column 'day'"),
        ("p,other,100,50,3,no", "column 'sex'"),
    ],
)
def test_rows_that_contradict_what_is_declared_of_time_are_refused(
    tmp_path: Path, vault: Vault, row: str, words: str
) -> None:
    """A visit without a time, after the end of follow-up, beyond the declared days, and of a category outside its list."""
    path = tmp_path / "visits.csv"
    path.write_text(f"{CLINIC_HEADS}\n{HIDDEN}1,male,100,50,3,no\n{HIDDEN}{row}\n")
    with pytest.raises(Invalid, match=words) as refused:
        vault.take_in(path, CLINIC)
    assert HIDDEN not in str(refused.value)


def snapshot_of(schema: Schema) -> snapshots.Content:
    found = linked({0: ((1, 3), [(5, 0, 2), (4, 1, -1)]), 1: ((0, -1), []), 2: ((0, 0), [(1, 1, 1)])})
    return snapshots.Content(found.table, found.persons.person, found.persons.identity, found.persons.held_out)


def test_a_snapshot_of_several_tables_reads_as_it_was_written_and_commits_to_every_cell(tmp_path: Path) -> None:
    content, salt = snapshot_of(LIVER), bytes(32)
    commitment = snapshots.commitment_of(content, LIVER, salt)
    snapshots.write(tmp_path, commitment, content, salt)
    assert snapshots.read(tmp_path, commitment, LIVER).table.equals(content.table)
    (strand,) = strands_of(LIVER)
    rows = rows_of(content.table, strand)
    persons = np.stack([content.table.column(name).fill_null(-1).to_numpy() for name in ("sex", "age")], axis=1)
    others = []
    for place in range(3):
        for column in range(3):
            codes = rows.codes.copy()
            codes[place, column] += 1
            others.append(nest(LIVER, persons, [Rows(codes, rows.counts)]))
    moved = Rows(rows.codes, np.roll(rows.counts, 1))
    for table in (*others, nest(LIVER, persons, [moved])):
        assert snapshots.commitment_of(replace(content, table=table), LIVER, salt) != commitment
        snapshots.write(tmp_path, commitment, replace(content, table=table), salt)
        with pytest.raises(Corrupt, match="got other records"):
            snapshots.read(tmp_path, commitment, LIVER)


def test_a_snapshot_of_another_shape_is_noticed(tmp_path: Path) -> None:
    content, salt = snapshot_of(LIVER), bytes(32)
    commitment = snapshots.commitment_of(content, LIVER, salt)
    flat = replace(content, table=content.table.drop_columns(["agora:labs"]))
    with (tmp_path / f"{commitment.hex()}.arrow").open("wb"):
        snapshots.write(tmp_path, commitment, flat, salt)
    with pytest.raises(Corrupt, match="got other columns"):
        snapshots.read(tmp_path, commitment, LIVER)
    wide = Number("more", Decimal(0), Decimal(1), Decimal(1), missing=False)
    with pytest.raises(Corrupt, match="got other columns"):
        snapshots.read(tmp_path, commitment, replace(LIVER, columns=(*LIVER.columns, wide)))
    assert pa.types.is_list(content.table.schema.field("agora:labs").type)
