from hypothesis import given
from hypothesis import strategies as st

from marketplace.scores.permutation import permutation


@given(st.binary(max_size=40), st.text(max_size=20), st.integers(0, 300))
def test_every_place_comes_up_once(seed: bytes, label: str, size: int) -> None:
    assert sorted(permutation(seed, label, size).tolist()) == list(range(size))


def test_the_published_vector_holds() -> None:
    assert permutation(b"seed", "label", 10).tolist() == VECTOR


def test_seed_and_label_each_change_the_order() -> None:
    orders = {tuple(permutation(seed, label, 50).tolist()) for seed in (b"a", b"ab") for label in ("b", "bb")}
    assert len(orders) == 4


VECTOR = [0]
