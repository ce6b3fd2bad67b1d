import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.noise.stream import BLOCK_WORDS, NoiseStream, Stage, is_marked
from tests.noise.goodness import fits

KEY = bytes(range(32))


def stage(name: str = "stage", key: bytes = KEY, context: bytes = b"order") -> Stage:
    return NoiseStream(key, context).stage(name)


def test_the_same_key_context_and_stage_give_the_same_words() -> None:
    assert np.array_equal(stage().words(100), stage().words(100))


@pytest.mark.parametrize(
    "other", [stage("other"), stage(key=bytes(32)), stage(context=b"another"), stage(context=b"orders", name="tage")]
)
def test_another_key_context_or_stage_gives_other_words(other: Stage) -> None:
    assert not np.array_equal(stage().words(8), other.words(8))


@given(st.lists(st.integers(0, 3 * BLOCK_WORDS // 2), max_size=4))
def test_asking_in_parts_reads_the_same_words(counts: list[int]) -> None:
    whole, parts = stage().words(sum(counts)), stage()
    assert np.array_equal(whole, np.concatenate([parts.words(0), *(parts.words(count) for count in counts)]))


def test_the_words_are_those_of_this_version_for_ever() -> None:
    assert stage().words(2).tolist() == [6311098632836480131, 4180319733590280422]
    assert stage().bytes(11) == np.array([6311098632836480131, 4180319733590280422], "<u8").tobytes()[:11]


def test_a_stage_is_drawn_once() -> None:
    noise = NoiseStream(KEY, b"order")
    noise.stage("cells/0/0")
    with pytest.raises(ValueError, match="drawn once"):
        noise.stage("cells/0/0")


def test_a_key_of_another_length_is_refused_without_naming_it() -> None:
    with pytest.raises(ValueError, match="32 bytes, got 5") as refusal:
        NoiseStream(b"short", b"order")
    assert "short" not in str(refusal.value)


def test_a_stream_does_not_show_its_key() -> None:
    noise = NoiseStream(b"secretsecretsecretsecretsecret!!", b"order")
    assert "secret" not in repr(noise) + repr(noise.stage("stage"))


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 100])
def test_integers_below_a_bound_are_uniform(bound: int) -> None:
    drawn = stage(f"below {bound}").integers_below(bound, 50_000)
    assert drawn.min() >= 0 and drawn.max() < bound
    assert bound == 1 or fits(drawn, dict.fromkeys(range(bound), 1.0))


def test_integers_are_uniform_where_taking_a_remainder_would_not_be() -> None:
    bound = 2**65 // 9
    drawn = stage("large").integers_below(bound, 50_000)
    assert abs(np.count_nonzero(drawn < bound // 2) - 25_000) < 500
    words = stage("large").words(50_000)
    assert np.count_nonzero(words % np.uint64(bound) < bound // 2) > 25_500, "the fault that this test would catch"


@pytest.mark.parametrize("bound", [0, -1, 2**62 + 1])
def test_a_bound_that_makes_no_sense_is_refused(bound: int) -> None:
    with pytest.raises(ValueError, match="expected a bound"):
        stage().integers_below(bound, 1)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        stage().words(-1)


def test_keys_of_tests_are_marked_and_those_of_the_operating_system_are_not() -> None:
    assert all(is_marked(key) for key in (bytes(32), b"\7" * 32, (2**40 + 7).to_bytes(32, "big")))
    assert not any(is_marked(os.urandom(32)) for _ in range(1_000))
