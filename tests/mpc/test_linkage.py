"""Persons known to several hospitals are counted inside, with everybody's noise, and nothing but the numbers is seen."""

import secrets
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from marketplace.errors import Refused
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_linkage import TIMES, KnownTo, Linkage, parts_of
from marketplace.protocol.analysis_noise import Share, rho_micro_of_sum, shares
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_opening import LARGEST_SHARE, How, Opening
from marketplace.protocol.schema import Category, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES
from marketplace.protocol.spelling import Spelling
from node.mpc.counting import count
from node.mpc.ending import Ended, Reason
from node.mpc.local import answer_here
from node.mpc.masks import Tensor
from node.mpc.noise import add
from node.mpc.persons import bucket_of, in_buckets
from node.noise.stream import NoiseStream
from tests.mpc import rogue_closed
from tests.mpc.hospitals import Hospitals, summed
from tests.mpc.test_noise import convolved, drawn
from tests.noise.goodness import as_close_as_paid, fits, power_of_closeness

SCHEMA = Schema((Category("sex", ("f", "m"), False),), "patient", 2)
KEY, ORDER = bytes(range(32)), bytes(32)
PAID, DRAWS = 800_000, 20_000


def asking(parties: int = 3, known_to: KnownTo = KnownTo.TWO, buckets: int = 256) -> AnalysisSpecification:
    analysis = Linkage(parties, buckets, known_to)
    return AnalysisSpecification(b"\1" * 32, (analysis,), 60, b"\2" * SEALING_KEY_BYTES, b"\3" * 32)


def hospitals_of(alone: int, pairs: int, everywhere: int, parties: int = 3) -> list[list[str]]:
    """Identifiers at each hospital: of persons of it alone, of it and the next, and of all."""
    found = [[f"all {n}" for n in range(everywhere)] for _ in range(parties)]
    for one in range(parties):
        found[one] += [f"alone {one} {n}" for n in range(alone)]
        for other in (one, (one + 1) % parties):
            found[other] += [f"pair {one} {n}" for n in range(pairs)]
    return found


def oracle(hospitals: list[list[str]], key: bytes, known_to: KnownTo, buckets: int = 256) -> list[int]:
    """What is opened without noise, told from everybody's identifiers."""
    who = [0] * buckets
    for party, identifiers in enumerate(hospitals):
        for identifier in identifiers:
            who[bucket_of(identifier, key, buckets)] |= 1 << party
    return [sum(part.get(of, 0) for of in who) for part in parts_of(len(hospitals), known_to)]


@pytest.mark.parametrize(
    ("parties", "known_to"), [(3, KnownTo.TWO), (3, KnownTo.ALL), (4, KnownTo.ALL), (5, KnownTo.TWO)]
)
def test_parties_agree_on_a_key_and_see_what_the_oracle_tells_with_everybodys_noise(
    tmp_path: Path, parties: int, known_to: KnownTo
) -> None:
    asked, hospitals = asking(parties, known_to), hospitals_of(20, 5, 7, parties)
    parts = shares(asked.schedule(SCHEMA), 500_000, 2 * parties, parties, 1)
    keys: list[list[bytes]] = [[] for _ in hospitals]

    def counted(party: int) -> dict[str, np.ndarray]:
        own = in_buckets(asked, SCHEMA, hospitals[party], keys[party][0])
        return add(own, parts[0], NoiseStream(bytes([party]) * 32, ORDER))

    counts = [lambda _, party=party: counted(party) for party in range(parties)]
    questions, told = ClosedSpecification(asked, None), [one.append for one in keys]
    answers = answer_here(questions, SCHEMA, secrets.token_bytes(32), counts, tmp_path, agree=told)
    zeros = {"0/linked": np.zeros(parts[0][0].cells, np.int64)}
    drawn = sum(add(zeros, parts[0], NoiseStream(bytes([n]) * 32, ORDER))["0/linked"] for n in range(parties))
    (key,) = keys[0]
    assert len(key) == 32 and all(one == [key] for one in keys)
    expected = np.array(oracle(hospitals, key, known_to)) + drawn
    assert np.abs(drawn).min() > 0
    assert all(one.opened == ({"0/linked": tuple(expected.tolist())},) for one in answers)
    assert all(one.closing.transcript == answers[0].closing.transcript for one in answers)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or (key not in path.read_bytes() and key.hex().encode() not in path.read_bytes())


def test_the_key_is_another_in_each_order(hospitals: Callable[..., Hospitals]) -> None:
    found = []
    for _ in range(2):
        made = hospitals()
        made.start_closed({})
        ready = [one.result() for one in made.each(lambda _, process: process.ready()).values()]
        assert len(set(ready)) == 1
        found.append(ready[0])
    assert found[0] != found[1]


def test_a_bucket_counts_no_more_than_one_person_and_what_is_more_ends_at_its_own_party(
    hospitals: Callable[..., Hospitals],
) -> None:
    made, opening = hospitals(), Opening(How.LINKED, (256, 4), 2, LARGEST_SHARE)
    made.start_closed({"0/linked": opening})

    def work(number: int, process: object) -> object:
        process.ready()  # type: ignore[attr-defined]
        values = np.zeros(260, np.int64)
        values[3] = 2 if number == 1 else 1
        return summed(process, Tensor(0, "0/linked", 260), values)  # type: ignore[attr-defined]

    for done in made.each(work).values():
        with pytest.raises(Ended) as ended:
            done.result()
        assert (ended.value.party, ended.value.reason) == (1, Reason.STOPPED)


def test_an_opening_for_other_parties_ends_the_order(hospitals: Callable[..., Hospitals]) -> None:
    made = hospitals()
    made.start_closed({"0/linked": Opening(How.LINKED, (256, 5), 2, LARGEST_SHARE)})

    def work(number: int, process: object) -> object:
        process.ready()  # type: ignore[attr-defined]
        return summed(process, Tensor(0, "0/linked", 261), np.zeros(261, np.int64))  # type: ignore[attr-defined]

    for done in made.each(work).values():
        with pytest.raises(Ended):
            done.result()


def test_shares_of_the_right_length_that_are_wrong_end_the_order_and_nothing_of_them_is_run(
    hospitals: Callable[..., Hospitals],
) -> None:
    made = hospitals()
    command = (sys.executable, "-P", rogue_closed.__file__, "middle", "pickle of the right length")
    made.start_closed({"0/linked": Opening(How.LINKED, (256, 4), 2, LARGEST_SHARE)}, command, 2)

    def work(number: int, process: object) -> object:
        process.ready()  # type: ignore[attr-defined]
        return summed(process, Tensor(0, "0/linked", 260), np.zeros(260, np.int64))  # type: ignore[attr-defined]

    done = made.each(work)
    for number in range(2):
        with pytest.raises(Ended):
            done[number].result()
    assert not (made.folder / rogue_closed.MARK).exists()


def test_persons_fall_into_one_bucket_each_whatever_their_rows_and_nowhere_else() -> None:
    (found,) = in_buckets(asking(), SCHEMA, ["a", "b", "a", "a"], KEY).values()
    assert found.shape == (256 + 4,)
    assert set(np.flatnonzero(found)) == {bucket_of("a", KEY, 256), bucket_of("b", KEY, 256)}
    assert set(found.tolist()) == {0, 1} and not found[256:].any()
    (none,) = in_buckets(asking(), SCHEMA, [], KEY).values()
    assert not none.any()


def test_identifiers_fall_by_what_counts_of_them_and_what_is_nothing_is_nobody() -> None:
    written = ["ab-123 ", "AB 123", "  ab-123", "--", " "]
    plain, spelt = asking(), asking()
    spelt = replace(spelt, analyses=(replace(spelt.analyses[0], spelling=Spelling.LETTERS_AND_DIGITS),))  # type: ignore[arg-type]
    (trimmed,), (counted,) = (in_buckets(one, SCHEMA, written, KEY).values() for one in (plain, spelt))
    assert set(np.flatnonzero(trimmed)) == {bucket_of(one, KEY, 256) for one in ("ab-123", "AB 123", "--")}
    assert set(np.flatnonzero(counted)) == {bucket_of("AB123", KEY, 256)}


def test_buckets_are_even_and_another_key_deals_them_anew() -> None:
    at = [np.array([bucket_of(f"{n}", key, 256) for n in range(25_600)]) for key in (KEY, bytes(32))]
    for one in at:
        chi_square = float(((np.bincount(one, minlength=256) - 100) ** 2 / 100).sum())
        assert 255 - 4 * np.sqrt(510) < chi_square < 255 + 4 * np.sqrt(510)
    assert 50 <= np.count_nonzero(at[0] == at[1]) <= 150


def test_without_the_parties_key_or_for_another_question_no_bucket_is_told() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        in_buckets(asking(), SCHEMA, ["a"], KEY[:31])
    with pytest.raises(Refused, match="identifiers"):
        count(asking(), SCHEMA, 1, {})


def test_noise_goes_where_numbers_are_opened_and_into_no_bucket() -> None:
    ((part,),) = shares(asking().schedule(SCHEMA), PAID, 6, 3, 1)
    before = in_buckets(asking(), SCHEMA, ["a", "b"], KEY)
    after = add(before, [part], NoiseStream(KEY, ORDER))["0/linked"]
    assert np.array_equal(after[:256], before["0/linked"][:256])
    assert after[256:].any() and not before["0/linked"][256:].any()


def seen(share: Fraction, shift: int) -> np.ndarray:
    """Draws of what tells best whether `shift`, a person in every party's buckets, is in: numbers projected on it."""
    ((part,),) = shares(asking().schedule(SCHEMA), PAID, 6, 3, 1)
    many = Share(part.name, DRAWS, part.sensitivity_squared, part.honest, part.sigma2 * share)
    zeros = {part.name: np.zeros(DRAWS, np.int64)}
    noise = sum(add(zeros, [many], NoiseStream(bytes([n + shift]) * 32, ORDER))[part.name] for n in range(part.honest))
    return np.asarray(noise + shift > 3)


def test_20000_draws_with_and_without_a_person_of_three_names_are_as_close_as_was_paid() -> None:
    moved = TIMES * 3
    assert as_close_as_paid(seen(Fraction(1), 0), seen(Fraction(1), moved), PAID)


def test_the_same_draws_reject_a_fifth_of_the_noise_with_a_power_of_999_in_1000() -> None:
    here, there = (seen(Fraction(1, 5), shift) for shift in (0, TIMES * 3))
    assert not as_close_as_paid(here, there, PAID)
    assert power_of_closeness(float(here.mean()), float(there.mean()), PAID, DRAWS) > 0.999


@pytest.mark.parametrize(("share", "right"), [(Fraction(1), True), (Fraction(9, 10), False), (Fraction(1, 2), False)])
def test_what_honest_parties_add_to_the_numbers_is_what_was_paid_for_and_no_less(share: Fraction, right: bool) -> None:
    ((part,),) = shares(asking().schedule(SCHEMA), PAID, 6, 3, 1)
    assert fits(drawn(part.sigma2 * share, part.honest), convolved(float(part.sigma2), part.honest)) is right


def test_honest_parties_noise_alone_pays_for_every_person() -> None:
    for known_to in KnownTo:
        ((part,),) = shares(asking(5, known_to).schedule(SCHEMA), PAID, 10, 5, 2)
        assert part.honest == 3
        assert rho_micro_of_sum(5 * 5**2, part.sigma2, 3, part.cells) <= PAID
        assert rho_micro_of_sum(5 * 5**2, part.sigma2 * Fraction(99, 100), 3, part.cells) > PAID


def test_the_opened_buckets_are_closed_in_what_the_process_hands_back(hospitals: Callable[..., Hospitals]) -> None:
    made = hospitals()
    made.start_closed({"0/linked": Opening(How.LINKED, (256, 4), 2, LARGEST_SHARE)})
    values = np.concatenate([np.ones(256, np.int64), np.zeros(4, np.int64)])

    def work(number: int, process: object) -> object:
        process.ready()  # type: ignore[attr-defined]
        return summed(process, Tensor(0, "0/linked", 260), values).tolist()  # type: ignore[attr-defined]

    for done in made.each(work).values():
        assert done.result() == [CLOSED] * 256 + [TIMES * 256, 0, 0, 0]
