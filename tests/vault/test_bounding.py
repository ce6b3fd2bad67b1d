"""Which rows of each person are used, and who is held out."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.vault.bounding import Bounded, bound, identity_of
from node.vault.coding import Coded

SECRET = bytes(range(32))
Row = tuple[int, int]
Population = dict[str, list[Row]]
Used = dict[str, tuple[Counter[Row], bool]]

rows = st.tuples(st.integers(-1, 2), st.integers(-1, 2))
populations = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.lists(rows, min_size=1, max_size=6), min_size=1
)
bounds = st.integers(1, 4)


def coded(records: list[tuple[str, Row]], secret: bytes = SECRET) -> Coded:
    codes = np.array([row for _, row in records], dtype=np.int32).reshape(-1, 2)
    return Coded(codes, [identity_of(name, secret) for name, _ in records])


def bounded(records: list[tuple[str, Row]], rows_per_person: int, percent: int = 30, secret: bytes = SECRET) -> Bounded:
    return bound(coded(records, secret), secret, rows_per_person=rows_per_person, holdout_percent=percent)


def used(records: list[tuple[str, Row]], rows_per_person: int) -> Used:
    """What is used of each person: the rows, however often each, and the side."""
    found = bounded(records, rows_per_person)
    sides = dict[str, bool]()
    kept = dict[str, Counter[Row]]()
    for place, held_out in zip(found.places, found.held_out, strict=True):
        name, row = records[place]
        assert sides.setdefault(name, bool(held_out)) == held_out
        kept.setdefault(name, Counter())[row] += 1
    return {name: (kept[name], sides[name]) for name in kept}


def flat(population: Population) -> list[tuple[str, Row]]:
    return [(name, row) for name, person in population.items() for row in person]


@given(populations, bounds)
def test_each_person_keeps_as_many_of_its_own_rows_as_the_bound_allows(population: Population, most: int) -> None:
    found = used(flat(population), most)
    assert found.keys() == population.keys()
    for name, (kept, _) in found.items():
        assert kept.total() == min(most, len(population[name]))
        assert kept <= Counter(population[name])


@given(populations, bounds, st.data())
def test_removing_one_person_changes_nothing_for_any_other(
    population: Population, most: int, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(population)))
    rest = {name: person for name, person in population.items() if name != gone}
    expected = used(flat(population), most)
    del expected[gone]
    assert (used(flat(rest), most) if rest else {}) == expected


@given(populations, bounds, st.data())
def test_one_persons_new_rows_change_nothing_for_any_other(
    population: Population, most: int, data: st.DataObject
) -> None:
    changed = data.draw(st.sampled_from(sorted(population)))
    after = {**population, changed: data.draw(st.lists(rows, min_size=1, max_size=8))}
    before_used, after_used = used(flat(population), most), used(flat(after), most)
    assert before_used[changed][1] == after_used[changed][1]
    del before_used[changed], after_used[changed]
    assert before_used == after_used


@given(populations, bounds, st.randoms(use_true_random=False))
def test_the_order_of_the_file_has_no_say(population: Population, most: int, random: Random) -> None:
    records = flat(population)
    shuffled = random.sample(records, len(records))
    first, second = bounded(records, most), bounded(shuffled, most)
    assert [records[place] for place in first.places] == [shuffled[place] for place in second.places]
    assert first.person.tolist() == second.person.tolist()
    assert first.held_out.tolist() == second.held_out.tolist()


@given(st.lists(rows, min_size=1, max_size=12), rows)
def test_without_a_person_column_one_more_row_changes_that_row_alone(records: list[Row], more: Row) -> None:
    def sides(of: list[Row]) -> Counter[tuple[Row, bool]]:
        found = bound(
            Coded(np.array(of, dtype=np.int32).reshape(-1, 2), None), SECRET, rows_per_person=1, holdout_percent=30
        )
        assert sorted(found.person.tolist()) == list(range(len(of)))
        return Counter((of[place], bool(side)) for place, side in zip(found.places, found.held_out, strict=True))

    before, after = sides(records), sides([*records, more])
    assert before <= after
    assert [row for row, _ in (after - before)] == [more]


@given(populations)
def test_persons_get_dense_numbers(population: Population) -> None:
    found = bounded(flat(population), 2)
    assert sorted(set(found.person.tolist())) == list(range(len(population)))
    names = [flat(population)[place][0] for place in found.places]
    assert len(set(zip(names, found.person.tolist(), strict=True))) == len(population)


@pytest.mark.parametrize("percent", [0, 10, 50])
def test_the_declared_share_of_persons_is_held_out(percent: int) -> None:
    records = [(f"p{person}", (0, 0)) for person in range(20_000)]
    share = bounded(records, 1, percent).held_out.mean()
    assert abs(share - percent / 100) < 5 * np.sqrt(0.25 / 20_000)
    assert percent or not share


def test_another_secret_chooses_other_rows_and_persons() -> None:
    records = [(f"p{person}", (row, row)) for person in range(200) for row in range(5)]
    one, other = bounded(records, 1), bounded(records, 1, secret=bytes(32))
    assert sorted(one.places) != sorted(other.places)
    held = [{records[place][0] for place in found.places[found.held_out]} for found in (one, other)]
    assert held[0] != held[1]


def test_every_row_of_a_person_has_the_same_chance() -> None:
    records = [(f"p{person}", (row, 0)) for person in range(3_000) for row in range(4)]
    chosen = Counter(records[place][1][0] for place in bounded(records, 1).places)
    assert max(chosen.values()) - min(chosen.values()) < 250
