"""Opting out by command: the file names persons, the ledger and the messages never do."""

from pathlib import Path

import pytest

from tests.node.hospital import Hospital, assert_refused, document


@pytest.fixture
def persons(tmp_path: Path) -> Path:
    path = tmp_path / "persons.txt"
    path.write_text("p-17\np-23\n\n")
    return path


def test_persons_are_left_out_and_taken_in_again(hospital: Hospital, persons: Path) -> None:
    left = document(hospital.type("dataset", "opt-out", hospital.dataset, str(persons), "--json"))
    assert (left["noted"], left["out"]) == (2, True)
    again = hospital.type("dataset", "opt-out", hospital.dataset, str(persons), "--back")
    assert (again.code, again.out) == (0, "2 taken in again from the next order on\n")
    assert "p-17" not in again.out + again.err


def test_what_is_no_list_of_persons_is_invalid(hospital: Hospital, tmp_path: Path) -> None:
    empty, coded = tmp_path / "empty.txt", tmp_path / "coded.txt"
    empty.write_text("\n\n")
    coded.write_bytes(b"\xff\xfe\x00")
    assert_refused(hospital.type("dataset", "opt-out", hospital.dataset, str(empty)), 2, "names of persons")
    assert_refused(hospital.type("dataset", "opt-out", hospital.dataset, str(coded)), 2, "UTF-8")


def test_an_unknown_dataset_is_invalid(hospital: Hospital, persons: Path) -> None:
    assert_refused(hospital.type("dataset", "opt-out", "00" * 32, str(persons)), 2, "registered dataset")


def test_a_file_that_is_not_there_is_said(hospital: Hospital, tmp_path: Path) -> None:
    assert_refused(
        hospital.type("dataset", "opt-out", hospital.dataset, str(tmp_path / "none")), 2, "a file at 'none', found none"
    )
