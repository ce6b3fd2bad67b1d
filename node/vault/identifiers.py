"""Columns that name a person or number the records: recognised by their name *and* by how much their values differ.

A declared category is public, so a list of names would be published with the schema, whatever noise comes later.
"""

import re
from itertools import pairwise

_NAMING = frozenset(
    {
        "surname",
        "forename",
        "firstname",
        "lastname",
        "fullname",
        "email",
        "phone",
        "telephone",
        "fax",
        "address",
        "street",
    }
    | {"ssn", "socialsecurity", "passport", "iban", "mrn", "nhs"}
)
_WHOSE = frozenset(
    {"first", "last", "given", "family", "middle", "maiden", "full"}
    | {"patient", "person", "subject", "participant", "mother", "father"}
)
_NUMBERING = frozenset(
    {"id", "ids", "uuid", "guid", "identifier", "rownames", "rowname", "rowid", "rownumber", "seqno", "unnamed"}
)
_NUMBERING_WHOLE = frozenset({"index", "row"})
_PERSON = frozenset(
    {"subject", "subjectid", "subjid", "usubjid", "patient", "patientid", "patid", "pid", "person", "personid"}
    | {"participant", "participantid", "mrn"}
)

FEW = 10
"""A naming column with at most so many different values is a list of labels, which tells nobody apart."""
MANY = 1_000
"""A numbering column with more different values than this tells records apart, however often each stands there."""
NUMBERING_SHARE = 0.2
"""A numbering column does so too from this share of different values on."""
TEXT_SHARE = 0.5
"""From this share of different values on, a text says something about single records, whatever its name."""


def looks_like_identifier(name: str, distinct: int, cells: int) -> bool:
    """Whether a column is to be taken for a direct identifier.

    `distinct`: how many different values stand in its `cells` cells that are not missing.
    """
    if cells and distinct == cells and (names_persons(name) or numbers_records(name)):
        return True
    if distinct <= FEW:
        return False
    if names_persons(name):
        return True
    return numbers_records(name) and (distinct > MANY or distinct >= NUMBERING_SHARE * cells)


def is_text_of_single_records(distinct: int, cells: int) -> bool:
    """Whether a column of text has so many different values that its list of categories would be a list of records."""
    return distinct > 2 * FEW and distinct > TEXT_SHARE * cells


def names_persons(name: str) -> bool:
    """Whether a column's name says that it holds names, numbers or places of persons."""
    words = _words(name)
    pairs = list(pairwise(words))
    named = any(second in {"name", "names"} and first in _WHOSE for first, second in pairs)
    return named or words in (["name"], ["names"]) or not _NAMING.isdisjoint([*words, *map("".join, pairs)])


def numbers_records(name: str) -> bool:
    """Whether a column's name says that it numbers or indexes records."""
    words = _words(name)
    return (
        not _NUMBERING.isdisjoint([*words, *map("".join, pairwise(words))])
        or "".join(words) in _NUMBERING_WHOLE
        or words[:2] == ["index", "level"]
    )


def may_be_person_column(name: str) -> bool:
    """Whether a column's name is one that studies use to tell persons apart."""
    return "".join(_words(name)) in _PERSON


def _words(name: str) -> list[str]:
    """The lower-case words of `patient_id`, `Patient ID` and `patientId`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", parted.lower()) if word]
