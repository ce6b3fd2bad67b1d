"""The faults that the tests have to notice."""

from scripts.faulting.planted.ending import ENDING
from scripts.faulting.planted.granting import GRANTING
from scripts.faulting.planted.money import MONEY
from scripts.faulting.planted.ordering import ORDERING
from scripts.faulting.planted.proving import PROVING
from scripts.faulting.planted.selling import SELLING

ALL = (*SELLING, *ORDERING, *ENDING, *MONEY, *PROVING, *GRANTING)
