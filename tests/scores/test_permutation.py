import hashlib

from hypothesis import given
from hypothesis import strategies as st

from marketplace.scores.permutation import permutation


@given(st.binary(max_size=40), st.text(max_size=20), st.integers(0, 300))
def test_every_place_comes_up_once(seed: bytes, label: str, size: int) -> None:
    assert sorted(permutation(seed, label, size).tolist()) == list(range(size))


def test_it_is_the_order_of_the_words_that_the_docstring_names() -> None:
    words = hashlib.shake_256((4).to_bytes(8, "big") + b"seed" + b"label").digest(8 * 40)
    places = [int.from_bytes(words[8 * place : 8 * place + 8], "little") for place in range(40)]
    assert permutation(b"seed", "label", 40).tolist() == sorted(range(40), key=lambda place: places[place])
    assert permutation(b"seed", "label", 10).tolist() == [0, 9, 3, 7, 5, 2, 1, 8, 6, 4]


def test_seed_and_label_each_change_the_order() -> None:
    orders = {tuple(permutation(seed, label, 50).tolist()) for seed in (b"a", b"ab") for label in ("b", "bb")}
    assert len(orders) == 4
