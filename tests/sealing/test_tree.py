import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.sealing.chunk import MAX_COUNT
from marketplace.sealing.tree import PADDING, TreeRoot, depth_of, is_member, node_hash, path_of

COUNTS = st.integers(1, 40)


def leaves_of(count: int) -> list[bytes]:
    return [hashlib.sha256(b"leaf %d" % place).digest() for place in range(count)]


def levels_of(leaves: list[bytes]) -> list[list[bytes]]:
    """All levels of the padded tree, held in memory: what the streaming tree must agree with."""
    size = 1
    while size < len(leaves):
        size *= 2
    levels = [leaves + [bytes(32)] * (size - len(leaves))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([hashlib.sha256(b"\1" + below[at] + below[at + 1]).digest() for at in range(0, len(below), 2)])
    return levels


def root_of(leaves: list[bytes]) -> bytes:
    return levels_of(leaves)[-1][0]


@given(COUNTS, st.lists(st.integers(0, 40)))
def test_the_root_is_that_of_the_whole_tree_however_leaves_arrive(count: int, cuts: list[int]) -> None:
    leaves = leaves_of(count)
    tree = TreeRoot(depth_of(count))
    marks = [0, *sorted(min(cut, count) for cut in cuts), count]
    for start, end in pairwise(marks):
        tree.add(leaves[start:end])
    assert tree.value() == root_of(leaves)


def test_a_tree_of_one_leaf_is_the_leaf() -> None:
    tree = TreeRoot(0)
    tree.add(leaves_of(1))
    assert tree.value() == leaves_of(1)[0]


def test_a_tree_without_leaves_is_padding() -> None:
    assert TreeRoot(3).value() == PADDING[3] == root_of([bytes(32)] * 8)


@pytest.mark.parametrize("depth", [0, 2])
def test_a_full_tree_takes_no_more(depth: int) -> None:
    tree = TreeRoot(depth)
    tree.add(leaves_of(2**depth))
    with pytest.raises(ValueError, match="room"):
        tree.add(leaves_of(1))


@pytest.mark.parametrize(("count", "depth"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (2**15, 15), (2**15 + 1, 16)])
def test_a_depth_is_the_least_that_has_room(count: int, depth: int) -> None:
    assert depth_of(count) == depth


@pytest.mark.parametrize("count", [0, -1, MAX_COUNT + 1])
def test_a_tree_has_a_count_in_range(count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and"):
        depth_of(count)


@given(COUNTS, st.data())
def test_every_leaf_is_a_member_by_its_path(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    path = path_of(index, count, leaves.__getitem__)
    assert list(path) == [level[(index >> at) ^ 1] for at, level in enumerate(levels_of(leaves)[:-1])]
    assert is_member(root_of(leaves), count, index, leaves[index], path)


@given(COUNTS, st.data())
def test_a_leaf_is_no_member_at_another_index(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    other = data.draw(st.integers(-3, 2 * count + 3).filter(lambda place: place != index))
    path = path_of(index, count, leaves.__getitem__)
    assert not is_member(root_of(leaves), count, other, leaves[index], path)


@given(st.integers(2, 40), st.data())
def test_a_path_of_another_length_proves_nothing(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    path = path_of(index, count, leaves.__getitem__)
    for wrong in (path[:-1], path[1:], (*path, bytes(32)), (bytes(32), *path), ()):
        assert not is_member(root_of(leaves), count, index, leaves[index], wrong)


@given(st.integers(2, 40), st.data())
def test_an_inner_node_is_no_leaf(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    levels = levels_of(leaves)
    index = data.draw(st.integers(0, count - 1))
    height = data.draw(st.integers(1, depth_of(count)))
    path = path_of(index, count, leaves.__getitem__)[height:]
    node = levels[height][index >> height]
    for claimed in range(count):
        assert not is_member(root_of(leaves), count, claimed, node, path)


def test_a_padding_leaf_cannot_be_claimed() -> None:
    leaves = leaves_of(3)
    path = (leaves[2], node_hash(leaves[0], leaves[1]))
    assert not is_member(root_of(leaves), 3, 3, bytes(32), path)
    assert is_member(root_of(leaves), 4, 3, bytes(32), path), "the index alone keeps it out, so it is always compared"


@given(COUNTS, st.data())
def test_a_changed_bit_in_leaf_path_or_root_proves_nothing(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    parts = [root_of(leaves), leaves[index], *path_of(index, count, leaves.__getitem__)]
    place, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[place] = (int.from_bytes(parts[place], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not is_member(parts[0], count, index, parts[1], tuple(parts[2:]))


def test_nodes_of_another_width_prove_nothing() -> None:
    first, second = leaves_of(2)
    root = root_of([first, second])
    assert not is_member(root, 2, 0, first + second[:1], (second[1:],))
    assert not is_member(root[:31], 2, 0, first, (second,))


@pytest.mark.parametrize("count", [0, -1, MAX_COUNT + 1])
def test_a_count_out_of_range_proves_nothing(count: int) -> None:
    assert not is_member(bytes(32), count, 0, bytes(32), ())


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_outside_the_count(index: int) -> None:
    with pytest.raises(ValueError, match="below the count"):
        path_of(index, 3, leaves_of(3).__getitem__)
