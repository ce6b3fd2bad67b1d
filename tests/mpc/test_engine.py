"""MPyC as the closed lane holds it: no exchange of its own, nothing unpickled, parameters that are strong enough."""

import asyncio
import subprocess
import sys

import pytest

from node.mpc import engine
from node.mpc.engine import Engine, Exchange
from node.mpc.frames import Rubbish

PROGRAM = """
import sys, pickle
from node.mpc.engine import Engine
from node.mpc.frames import Rubbish
before = list(sys.argv)
engine = Engine(1, 3, 1)
from mpyc import runtime
print(runtime.mpc.options.sec_param >= 40, runtime.pickle is not pickle, sys.argv == before, engine.width)
for closed in (runtime.mpc.transfer, runtime.mpc.shutdown):
    try:
        closed(0)
        print("open")
    except TypeError:
        print("closed")
try:
    runtime.pickle.dumps({"an": "object"})
    print("open")
except TypeError:
    print("closed")
print(type(runtime.pickle.loads(pickle.dumps(print) + bytes(100))).__name__)
for seeds in (b"", bytes(15), bytes(17), bytes(48)):
    try:
        engine.take_seeds(0, seeds)
        print("open")
    except Rubbish:
        print("closed")
engine.take_seeds(0, bytes(range(16)))
print(bytes(range(16)) in engine._mpc._prss_keys.values(), len(set(engine.seeds(2))) > 1)
shares = [engine.split([7]) for _ in range(2)]
print(len({share for each in shares for share in each}))
try:
    engine.at_least([], 0, 65)
    print("open")
except ValueError:
    print("closed")
engine.hold(240)
print(engine.width)
for digits, bits in ((61, 60), (-1, 60), (20, 230)):
    try:
        engine.loop.run_until_complete(engine.cut(engine.zero, digits, bits))
        print("open")
    except ValueError:
        print("closed")
drawn, prf = [], engine._thresha.PRF
def noted(key, bound):
    def draw(label, shape):
        drawn.append((label, bound))
        return prf(key, bound)(label, shape)
    return draw
async def unseen(shares):
    return shares
engine._thresha.PRF, engine._open_product = noted, unseen
for _ in range(2):
    engine.loop.run_until_complete(engine.cut(engine.zero, 20, 100))
print(len(drawn), len({label for label, _ in drawn}), all(bound >= 1 << (100 + 40) for _, bound in drawn))
"""


def test_the_engine_exchanges_numbers_alone_with_forty_bits_and_compares_within_its_field() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "True",
        "True",
        "True",
        "14",
        *["closed"] * 3,
        "ndarray",
        *["closed"] * 4,
        *["True", "True"],  # seeds are taken as they come, and those that it leads are drawn
        "6",  # no two shares of one number are alike
        "closed",
        "36",
        *["closed"] * 3,
        *["4", "2", "True"],  # a mask for each seed that it knows, another each time, 40 bits beyond the numbers
    ]


@pytest.mark.parametrize(("parties", "threshold"), [(2, 0), (2, 1), (3, 0), (4, 2)])
def test_too_few_parties_for_the_threshold_start_no_engine(parties: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="below half of the parties"):
        Engine(0, parties, threshold)


def test_a_message_waits_under_its_label_or_is_awaited_and_comes_once() -> None:
    sent: list[bytes] = []

    async def talk() -> None:
        exchange = Exchange(sent.append, 4)
        exchange.arrived((7).to_bytes(8, "little") + b"four")
        assert exchange.receive(7) == b"four"
        awaited = exchange.receive(-8)
        assert exchange.awaited_since < float("inf")
        exchange.arrived((-8).to_bytes(8, "little", signed=True) + b"fourfour")
        assert await awaited == b"fourfour"  # type: ignore[misc]
        assert exchange.awaited_since == float("inf")
        exchange.send(-8, b"four")
        exchange.arrived((9).to_bytes(8, "little") + b"four")
        again = [label.to_bytes(8, "little", signed=True) + b"four" for label in (7, -8, 9)]
        for rubbish in (b"short", bytes(8) + b"odd", *again):
            with pytest.raises(Rubbish):
                exchange.arrived(rubbish)

    asyncio.run(talk())
    assert sent == [(-8).to_bytes(8, "little", signed=True) + b"four"]


def test_who_sends_more_than_is_ever_awaited_sends_rubbish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGEST_WAITING", engine.MESSAGE_BYTES + 8)
    exchange = Exchange(lambda _: None, 4)
    exchange.arrived(bytes(8) + b"four")
    assert exchange.receive(0) == b"four"
    exchange.arrived((1).to_bytes(8, "little") + b"fourfour")
    with pytest.raises(Rubbish):
        exchange.arrived((2).to_bytes(8, "little"))
