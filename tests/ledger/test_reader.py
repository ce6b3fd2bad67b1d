"""Reading events: in pages, behind confirmations, from a cursor on, and never past a change of history."""

from collections.abc import Iterator

import pytest

from marketplace.errors import Corrupt, Refused
from marketplace.ledger.chain import Block
from marketplace.ledger.contract import Contract
from marketplace.ledger.reader import START, Cursor, EventReader, before
from marketplace.protocol.events import Event
from marketplace.protocol.identity import NOTHING
from tests.ledger.fixtures import tell_anvil
from tests.ledger.world import World, anvil_world


class Narrow(Contract):
    """A contract on a node that answers for few blocks at once, and counts how often it was asked."""

    largest_range = 3
    asked = 0

    def events(self, first: int, last: int) -> Iterator[Event]:
        self.asked += 1
        if last - first + 1 > self.largest_range:
            raise Refused("expected a smaller range")
        return super().events(first, last)


def register(world: World, count: int) -> None:
    for _ in range(count):
        world.dataset()


class TestReadingFromACursor:
    def test_every_event_is_read_once_whatever_the_page(self, world: World) -> None:
        register(world, 5)
        whole = list(EventReader(world.ledger).events())
        for size in (1, 2, 7):
            assert list(EventReader(world.ledger, START, largest_page=size).events()) == whole

    def test_a_later_call_goes_on_where_the_last_one_ended(self, world: World) -> None:
        reader = EventReader(world.ledger)
        first = list(reader.events())
        assert list(reader.events()) == []
        register(world, 2)
        second = list(reader.events())
        assert len(second) == 2
        assert first + second == list(EventReader(world.ledger).events())

    def test_a_reader_resumes_from_a_stored_cursor(self, world: World) -> None:
        register(world, 3)
        pages = list(EventReader(world.ledger, largest_page=4).pages())
        middle = pages[len(pages) // 2]
        rest = EventReader(world.ledger, Cursor(middle.cursor.block, middle.cursor.hash))
        seen = [event for page in pages[: len(pages) // 2 + 1] for event in page.events]
        assert seen + list(rest.events()) == list(EventReader(world.ledger).events())

    def test_pages_without_events_move_the_cursor(self, world: World) -> None:
        reader = EventReader(world.ledger)
        list(reader.pages())
        world.pass_time(10)
        (page,) = reader.pages()
        assert page.events == ()
        assert (
            page.cursor
            == reader.cursor
            == Cursor(world.ledger.head_block(), world.ledger.block(reader.cursor.block).hash)
        )

    def test_reading_can_begin_at_a_block(self, world: World) -> None:
        register(world, 1)
        block = world.ledger.head_block()
        assert len(list(EventReader(world.ledger, before(block)).events())) == 1
        assert before(0) == START

    def test_events_wait_for_their_confirmations(self, world: World) -> None:
        reader = EventReader(world.ledger, confirmations=2)
        world.pass_time(1)
        world.pass_time(1)
        list(reader.events())
        register(world, 1)
        world.pass_time(1)
        assert list(reader.events()) == []
        world.pass_time(1)
        assert len(list(reader.events())) == 1

    def test_events_come_one_by_one(self, world: World) -> None:
        events = EventReader(world.ledger).events()
        assert next(events).position <= next(events).position

    def test_the_page_adapts_where_the_node_refuses_a_large_range(self, world: World) -> None:
        register(world, 4)
        narrow = Narrow(world.ledger.chain, world.ledger.domain.contract)
        blocks = world.ledger.head_block()
        assert list(EventReader(narrow).events()) == list(EventReader(world.ledger).events())
        assert narrow.asked < blocks

    def test_a_node_that_refuses_a_single_block_is_reported(self, world: World) -> None:
        deaf = Narrow(world.ledger.chain, world.ledger.domain.contract)
        deaf.largest_range = 0
        with pytest.raises(Refused, match="smaller range"):
            list(EventReader(deaf).events())


class TestAChangeOfHistory:
    def test_another_block_under_the_cursor_is_corrupt(self, world: World) -> None:
        other = Cursor(world.ledger.head_block(), b"\x01" * 32)
        with pytest.raises(Corrupt, match="read again from an earlier block"):
            list(EventReader(world.ledger, other).events())

    def test_a_chain_that_became_shorter_is_corrupt(self, world: World) -> None:
        with pytest.raises(Corrupt, match="read again"):
            list(EventReader(world.ledger, Cursor(10**9, b"\x01" * 32)).events())

    def test_a_cursor_before_everything_has_no_history(self, world: World) -> None:
        assert START.hash == NOTHING
        assert list(EventReader(world.ledger, before(world.ledger.head_block() + 1)).events()) == []

    def test_a_real_reorganisation_is_noticed(self, anvil_url: str) -> None:
        world = anvil_world(anvil_url)
        snapshot = tell_anvil(anvil_url, "evm_snapshot")
        register(world, 1)
        reader = EventReader(world.ledger)
        assert list(reader.events())
        tell_anvil(anvil_url, "evm_revert", snapshot)
        with pytest.raises(Corrupt):
            list(reader.events())
        world.pass_time(5)
        register(world, 2)
        with pytest.raises(Corrupt):
            list(reader.events())

    def test_a_reorganisation_while_a_page_is_read_keeps_the_page_back(self, world: World) -> None:
        class Shifty(Contract):
            """Once events are asked for, the block below them turns out to be another."""

            replaced = -1
            shifted = False

            def events(self, first: int, last: int) -> Iterator[Event]:
                self.shifted = first == self.replaced + 1
                return super().events(first, last)

            def block(self, number: int) -> Block:
                block = super().block(number)
                return Block(number, b"\x02" * 32, block.at_s) if self.shifted and number == self.replaced else block

        shifty = Shifty(world.ledger.chain, world.ledger.domain.contract)
        reader = EventReader(shifty)
        list(reader.pages())
        cursor = reader.cursor
        shifty.replaced = cursor.block
        register(world, 1)
        with pytest.raises(Corrupt):
            list(reader.pages())
        assert reader.cursor == cursor
