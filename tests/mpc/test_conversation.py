"""What a party sends waits for a slow reader by itself, and never more of it than a few messages."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from node.mpc.conversation import _WAITING_MESSAGES, Sender
from node.mpc.frames import Kind

TAKEN = 1 + _WAITING_MESSAGES


def test_to_who_does_not_read_a_few_messages_wait_and_the_next_is_not_taken() -> None:
    gone, taken = threading.Event(), []

    def send(kind: Kind, payload: bytes) -> None:
        assert gone.wait(60)
        raise ConnectionResetError

    sender = Sender(SimpleNamespace(send=send, close=lambda: None))  # type: ignore[arg-type]

    def hand_over() -> None:
        for number in range(10):
            sender.send(Kind.VALUES, b"")
            taken.append(number)

    with ThreadPoolExecutor(1) as pool:
        handed = pool.submit(hand_over)
        until = time.monotonic() + 30
        while not (sender._queue.full() and len(taken) == TAKEN):
            assert time.monotonic() < until
            time.sleep(0.01)
        gone.set()
        with pytest.raises(ConnectionResetError):
            handed.result()
    assert len(taken) == TAKEN
    sender.end(b"why", 0.0)
