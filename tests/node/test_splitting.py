"""What a party of a split table hands in for an order: its marks as they are, for sharing, and noise for every number."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.crossing import Side
from marketplace.protocol.identity import DatasetId, OrderId
from node.noise.stream import NoiseStream
from node.twin.split import Split
from node.workers.counting import Counter
from node.workers.job import MARKS, Job, JointJob
from node.workers.splitting import SplitTask
from tests.protocol.examples import address
from tests.synthesis.examples import specification, table_of
from tests.twin.split_examples import BUCKETS, KEY, RHO_MICRO, ROWS, SPLIT

OWN = Job(OrderId(bytes(32)), DatasetId(bytes(32)), 1, b"c" * 32, RHO_MICRO // 3, 10**12, address(1), Path("/nowhere"))
JOB = JointJob(OWN, RHO_MICRO, 3, 3, 1)
TABLE = table_of(SPLIT.left, [codes[:2] for codes in ROWS[:40]])
NAMES = tuple(f"person {n}" for n in range(40))


def task(identifiers: tuple[str, ...] = NAMES) -> SplitTask:
    made = SplitTask.of(JOB, specification(rows=40), SPLIT, SPLIT.left)
    return replace(made, identifiers=identifiers, key=KEY)


def test_marks_are_handed_over_exactly_and_every_number_that_is_opened_has_this_partys_noise(tmp_path: Path) -> None:
    made = task()
    counter = Counter(tmp_path, made, SimpleNamespace(rows=TABLE), NoiseStream(bytes(32), b"test"), False)  # type: ignore[arg-type]
    found, exact = counter.count(()), made.count(TABLE, ())
    assert found[MARKS].tolist() == exact[MARKS].tolist() and 30 < np.count_nonzero(exact[MARKS][:BUCKETS]) <= 40
    shares = made.shares(())
    assert [share.name for share in shares] == [name for name in found if name != MARKS]
    for share in shares:
        assert not exact[share.name].any() and found[share.name].any()
        assert np.abs(found[share.name]).max() < 20 * float(share.sigma2) ** 0.5
    assert {share.sensitivity_squared for share in shares} == {9}


def test_each_side_hands_in_its_own_columns() -> None:
    assert task().side is Side.LEFT
    assert SplitTask.of(JOB, specification(rows=40), SPLIT, SPLIT.right).side is Side.RIGHT


def test_white_space_around_an_identifier_does_not_count_and_who_has_none_is_left_out() -> None:
    spaced = task(tuple(f" {name}\t" for name in NAMES)).count(TABLE, ())
    assert spaced[MARKS].tolist() == task().count(TABLE, ())[MARKS].tolist()
    few = task(("  ", *NAMES[1:])).count(TABLE, ())
    assert few[MARKS].tolist() == replace(task(), identifiers=NAMES[1:]).count(TABLE.slice(1), ())[MARKS].tolist()


def test_neither_key_nor_identifiers_are_shown() -> None:
    assert "person 1" not in repr(task()) and repr(KEY) not in repr(task())


def test_what_cannot_be_paid_or_scored_is_refused_before_there_is_a_draw() -> None:
    with pytest.raises(Refused, match="expected a rho of at least"):
        SplitTask.of(replace(JOB, rho_micro=20), specification(rows=40), SPLIT, SPLIT.left)
    with pytest.raises(Invalid, match="height"):
        SplitTask.of(JOB, replace(specification(rows=40), subgroups="height"), SPLIT, SPLIT.left)


def test_a_split_table_is_read_as_it_was_written_and_nothing_else_is() -> None:
    assert Split.decode(SPLIT.encode()) == SPLIT
    with pytest.raises(Corrupt, match="a split table"):
        Split.decode(SPLIT.encode().replace(b'"sides":[0,1,0]', b'"sides":[0,2,0]'))
