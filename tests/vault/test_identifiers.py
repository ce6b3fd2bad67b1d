"""Which columns are taken for direct identifiers."""

import pytest

from node.vault.identifiers import is_text_of_single_records, looks_like_identifier, may_be_person_column


@pytest.mark.parametrize(
    "name",
    ["first_name", "LastName", "fake_first_name", "Patient Name", "name", "email", "home.phone", "Address", "ssn", "MRN",
     "street_address", "nhs_number", "maidenName", "Mother Name", "social_security_no"],
)  # fmt: skip
def test_a_naming_column_with_many_different_values_is_an_identifier(name: str) -> None:
    assert looks_like_identifier(name, distinct=27, cells=15_000)
    assert not looks_like_identifier(name, distinct=2, cells=15_000)


@pytest.mark.parametrize(
    "name", ["id", "ID", "test_id", "visitId", "case.id", "uuid", "rownames", "Unnamed: 0", "index"]
)
def test_a_numbering_column_is_an_identifier_if_it_tells_records_apart(name: str) -> None:
    assert looks_like_identifier(name, distinct=500, cells=500)
    assert looks_like_identifier(name, distinct=5, cells=5)
    assert looks_like_identifier(name, distinct=30, cells=100)
    assert looks_like_identifier(name, distinct=1_001, cells=1_000_000)
    assert not looks_like_identifier(name, distinct=18, cells=228)


@pytest.mark.parametrize(
    "name",
    ["clinic_name", "age", "body_mass_index", "paid", "valid", "drug name", "row_height", "national", "idea", "x"],
)
def test_an_ordinary_name_is_no_identifier_however_different_its_values(name: str) -> None:
    assert not looks_like_identifier(name, distinct=5_000, cells=5_000)


@pytest.mark.parametrize("name", ["subject_id", "patient_id", "PatientID", "mrn", "pid", "USUBJID", "participant.id"])
def test_names_that_studies_use_for_persons_are_proposed(name: str) -> None:
    assert may_be_person_column(name)


@pytest.mark.parametrize("name", ["id", "visit_id", "patient_age", "inst"])
def test_other_names_are_not_proposed_as_person(name: str) -> None:
    assert not may_be_person_column(name)


def test_a_text_with_a_value_for_nearly_each_record_speaks_of_single_records() -> None:
    assert is_text_of_single_records(distinct=60, cells=100)
    assert not is_text_of_single_records(distinct=40, cells=100)
    assert not is_text_of_single_records(distinct=5, cells=5)
