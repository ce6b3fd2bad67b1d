"""The privacy unit: its words, and that what sums cost stays within what datasets are charged, wherever a person has records."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.analysis import Asked
from marketplace.protocol.analysis_noise import Share, rho_micro_of_sum, shares
from marketplace.protocol.analysis_statistic import Statistic
from marketplace.protocol.unit import PrivacyUnit, unit_of

PERSON, AT_PROVIDER = PrivacyUnit
STATISTICS = (
    Statistic("few", (2,), 1, 1),
    Statistic("many", (2_000, 500), 7, 49),
    Statistic("heavy", (3,), 2**20, 2**40, 3),
)
SCHEDULE = (tuple(Asked(str(number), number, one) for number, one in enumerate(STATISTICS)),)
CHARGES = [(20_000,) * 3, (20_000, 140_000, 21_000), (30, 31, 32), (10**9,) * 5, tuple(range(9_000, 9_016))]


def spent(unit: PrivacyUnit, charged: Sequence[int], rows: int) -> list[Share]:
    """The noise of an order whose members' datasets are charged so much, each person with at most `rows` rows at each."""
    each = [rows] * len(charged)
    (parts,) = shares(SCHEDULE, unit.sums_micro(charged), unit.rows(each), len(charged), 1)
    return list(parts)


def lost_micro(parts: Sequence[Share], rows_at_all: int) -> int:
    """What somebody with so many rows in the sums loses by all of them."""
    return sum(
        rho_micro_of_sum(one.sensitivity_squared(rows_at_all), part.sigma2, part.honest, part.cells)
        for one, part in zip(STATISTICS, parts, strict=True)
    )


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("charged", CHARGES)
def test_a_person_anywhere_loses_no_more_than_its_datasets_are_charged(charged: tuple[int, ...], rows: int) -> None:
    parts = spent(PERSON, charged, rows)
    for at in range(1, len(charged) + 1):
        assert lost_micro(parts, at * rows) <= sum(sorted(charged)[:at])


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("charged", CHARGES)
def test_a_person_at_one_provider_loses_no_more_than_that_dataset_and_one_at_k_no_more_than_k_times_k(
    charged: tuple[int, ...], rows: int
) -> None:
    parts = spent(AT_PROVIDER, charged, rows)
    once = lost_micro(parts, rows)
    assert once <= min(charged)
    for at in range(1, len(charged) + 1):
        assert lost_micro(parts, at * rows) <= at * at * once
        assert at * at * once <= AT_PROVIDER.everywhere_micro(min(charged), at)


def test_these_checks_tell_a_pool_that_charges_the_weaker_unit_for_all_of_its_members() -> None:
    charged = (20_000,) * 3
    (parts,) = shares(SCHEDULE, PERSON.sums_micro(charged), AT_PROVIDER.rows([1] * 3), 3, 1)
    assert lost_micro(parts, 1) > min(charged)
    assert lost_micro(parts, 3) > sum(charged)


def test_under_the_weaker_unit_somebody_at_two_loses_more_than_both_accounts_say() -> None:
    charged = (20_000,) * 3
    assert lost_micro(spent(AT_PROVIDER, charged, 1), 2) > 2 * 20_000


def test_the_same_charge_buys_noise_of_a_variance_that_is_as_often_smaller_as_there_are_members() -> None:
    charged = (20_000,) * 3
    pairs = zip(spent(PERSON, charged, 2), spent(AT_PROVIDER, charged, 2), strict=True)
    for everywhere, once in pairs:
        assert abs(float(everywhere.sigma2 / once.sigma2) - 3) < 0.01


def test_what_a_certificate_promises_is_what_the_datasets_of_one_unit_are_charged() -> None:
    assert PERSON.promised_micro([5, 7, 6]) == 18
    assert AT_PROVIDER.promised_micro([5, 7, 6]) == 7
    assert (PERSON.sums_micro([5, 7, 6]), AT_PROVIDER.sums_micro([5, 7, 6])) == (15, 5)
    assert (PERSON.everywhere_micro(15, 3), AT_PROVIDER.everywhere_micro(5, 3)) == (15, 45)
    assert [unit.sums_micro([]) for unit in PrivacyUnit] == [0, 0]


def test_a_unit_has_a_word_and_a_sentence_and_no_other_word_is_one() -> None:
    assert [unit.word for unit in PrivacyUnit] == ["person", "person-at-provider"]
    assert [unit_of(unit.word) for unit in PrivacyUnit] == list(PrivacyUnit)
    assert AT_PROVIDER.of("one row is one person") == "one person at one provider; one row is one person"
    for word in ("", "Person", "row", "person_at_provider"):
        with pytest.raises(Invalid, match="expected one of the privacy units person, person-at-provider"):
            unit_of(word)


def test_an_offer_protects_a_person_everywhere_unless_it_says_otherwise() -> None:
    assert PrivacyUnit(0) is PERSON
    assert Fraction(PERSON.rows([2, 2, 2]), AT_PROVIDER.rows([2, 2, 2])) == 3
