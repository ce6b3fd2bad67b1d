"""What the members of a pool have to declare alike."""

from dataclasses import replace
from decimal import Decimal

import pytest

from marketplace.protocol.pool import difference
from marketplace.protocol.schema import Number, Schema

from .examples import SCHEMA

WEIGHED = Schema((Number("weight", Decimal(0), Decimal(300), Decimal(1), False, "kg"),), "patient", 1)
POUNDS = replace(WEIGHED, columns=(replace(WEIGHED.columns[0], unit="[lb_av]"),))
NOTHING = replace(WEIGHED, columns=(replace(WEIGHED.columns[0], unit=""),))
FINER = replace(WEIGHED, columns=(replace(WEIGHED.columns[0], step=Decimal("0.5")),))


@pytest.mark.parametrize(
    ("lead", "other", "words"),
    [
        (WEIGHED, POUNDS, "the unit of 'weight', [lb_av] for kg"),
        (WEIGHED, NOTHING, "the unit of 'weight', none for kg"),
        (NOTHING, WEIGHED, "the unit of 'weight', kg for none"),
        (WEIGHED, FINER, "what column 'weight' may hold"),
        (WEIGHED, SCHEMA, "the columns' names or their order"),
        (WEIGHED, replace(WEIGHED, rows_per_person=2), "persons, constraints or tables"),
    ],
)
def test_the_first_thing_in_which_two_declarations_differ_is_named(lead: Schema, other: Schema, words: str) -> None:
    assert lead != other and difference(lead, other) == words
