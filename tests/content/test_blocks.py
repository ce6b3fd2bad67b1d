"""The reader against authors who call anything a file."""

import pytest

from marketplace.content import Cid, read_bytes, unixfs
from marketplace.content.blocks import MAX_DEPTH
from marketplace.content.layout import Block
from marketplace.content.memory import MemoryStore
from marketplace.content.unixfs import FileNode, Part
from marketplace.errors import Corrupt, Invalid


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def raw(store: MemoryStore, data: bytes) -> Part:
    block = Block(Cid.of_raw(data), data)
    store.put_block(block)
    return Part(block.cid, len(data), len(data))


def inner(store: MemoryStore, *parts: Part) -> Part:
    node = FileNode(parts)
    data = unixfs.encode(node)
    block = Block(Cid.of_dag_pb(data), data)
    store.put_block(block)
    return Part(block.cid, node.content_bytes, node.dag_bytes)


def test_any_tree_of_raw_leaves_is_a_file_however_it_was_cut(store: MemoryStore) -> None:
    root = inner(store, raw(store, b"a"), inner(store, raw(store, b"bc"), raw(store, b"def")), raw(store, b"g"))
    assert read_bytes(store, root.cid, limit=7) == b"abcdefg"
    assert b"".join(store.read(root.cid, 4)) == b"efg"


def test_a_leaf_of_another_size_than_its_parent_says_is_corrupt(store: MemoryStore) -> None:
    leaf = raw(store, b"four")
    root = inner(store, Part(leaf.cid, 5, 5))
    with pytest.raises(Corrupt, match=f"expected 5 file bytes in {leaf.cid}, got 4"):
        list(store.read(root.cid))


@pytest.mark.parametrize(("content", "dag", "kind"), [(5, 0, "file"), (4, 1, "block")])
def test_a_node_of_another_size_than_its_parent_says_is_corrupt(
    store: MemoryStore, content: int, dag: int, kind: str
) -> None:
    child = inner(store, raw(store, b"four"))
    root = inner(store, Part(child.cid, content, child.dag_bytes + dag))
    with pytest.raises(Corrupt, match=f"{kind} bytes in {child.cid}"):
        list(store.read(root.cid))


def test_a_tree_that_is_too_deep_is_corrupt(store: MemoryStore) -> None:
    part = raw(store, b"deep")
    for _ in range(MAX_DEPTH):
        part = inner(store, part)
    assert read_bytes(store, part.cid, limit=4) == b"deep"
    too_deep = inner(store, part)
    with pytest.raises(Corrupt, match=f"at most {MAX_DEPTH} levels"):
        list(store.read(too_deep.cid))


def test_a_block_that_is_no_node_is_corrupt_and_says_why(store: MemoryStore) -> None:
    directory = b"\x0a\x02\x08\x01"
    store.put_block(Block(Cid.of_dag_pb(directory), directory))
    with pytest.raises(Corrupt, match="expected a UnixFS file, got directory") as told:
        list(store.read(Cid.of_dag_pb(directory)))
    assert str(Cid.of_dag_pb(directory)) in str(told.value)


def test_one_leaf_used_often_makes_a_long_file_that_a_limit_stops(store: MemoryStore) -> None:
    part = raw(store, bytes(1000))
    for _ in range(4):
        part = inner(store, *[part] * 100)
    assert store.size(part.cid) == 100**4 * 1000
    with pytest.raises(Corrupt, match="expected at most 5000 bytes"):
        read_bytes(store, part.cid, limit=5000)


def test_an_offset_is_checked_before_any_leaf_is_fetched(store: MemoryStore) -> None:
    root = inner(store, Part(Cid.of_raw(b"absent"), 6, 6))
    with pytest.raises(Invalid, match="from 0 to 6"):
        list(store.read(root.cid, 7))
    assert list(store.read(root.cid, 6)) == []


def test_a_source_that_fails_leaves_no_root_behind(store: MemoryStore) -> None:
    def source() -> list[bytes]:
        raise RuntimeError("the source broke")

    class Breaking:
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield bytes(600_000)
            source()

    with pytest.raises(RuntimeError, match="the source broke"):
        store.put(Breaking())
    assert not store.has(Cid.of_raw(bytes(600_000)))
