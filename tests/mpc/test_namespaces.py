"""Parties in network namespaces of their own, over a wire that can be unplugged: the others stop in time and name it."""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from node.mpc.ending import Ended, Reason
from node.mpc.frames import PIECE_VALUES, Kind
from node.mpc.masks import Batch, Tensor
from node.mpc.plan import Peer
from node.mpc.running import Closing, PartyProcess
from tests.mpc.hospitals import PATIENT, Hospitals, Identity, summed

BRIDGE, CLONE_NEWNET, CULPRIT = "agora", 0x40000000, 2
TURNS = count()
LONG = Tensor(0, "long", 3 * PIECE_VALUES)
ROOT = Path(__file__).parent.parent.parent


def ip(*words: str) -> bool:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0


def may() -> bool:
    """Whether this machine lets us have namespaces."""
    return (
        shutil.which("ip") is not None
        and os.geteuid() == 0
        and ip("netns", "add", BRIDGE)
        and ip("netns", "del", BRIDGE)
    )


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not may(), reason="needs network namespaces")]


@pytest.fixture
def namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Three namespaces with an address each, on one bridge. What is taken down takes its time, so names are used once."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    turn = next(TURNS)
    bridge, names = f"{BRIDGE}{turn}", [f"{BRIDGE}{turn}-{number}" for number in range(3)]
    steps = [["link", "add", bridge, "type", "bridge"], ["link", "set", bridge, "up"]]
    for number, name in enumerate(names):
        steps += [
            ["netns", "add", name],
            ["link", "add", wire(name), "type", "veth", "peer", "name", "eth0", "netns", name],
            ["link", "set", wire(name), "master", bridge, "up"],
            ["-n", name, "addr", "add", f"10.77.{turn}.{number + 1}/24", "dev", "eth0"],
            ["-n", name, "link", "set", "eth0", "up"],
            ["-n", name, "link", "set", "lo", "up"],
        ]
    try:
        assert all(ip(*step) for step in steps)
        yield names
    finally:
        for name in names:
            ip("link", "del", wire(name))
            ip("netns", "del", name)
        ip("link", "del", bridge)


def wire(name: str) -> str:
    """The end of a namespace's wire that is on the bridge."""
    return f"{name}w"


def listening_in(name: str, host: str) -> socket.socket:
    """A socket that listens in a namespace: a thread goes there for it, and ends."""
    made: list[socket.socket] = []

    def work() -> None:
        with Path(f"/run/netns/{name}").open() as place:
            assert ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET) == 0
        made.append(socket.create_server((host, 0)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return made[0]


def settled(
    hospitals: Callable[..., Hospitals], identities: tuple[Identity, ...], namespaces: list[str]
) -> tuple[Hospitals, dict[int, tuple[str, ...]]]:
    """Parties that listen in their namespaces, and the commands that run them there."""
    made = hospitals(limits=replace(PATIENT, stall_s=20))
    peers = []
    for number, (name, one) in enumerate(zip(namespaces, identities, strict=False)):
        host = f"10.77.{name.removeprefix(BRIDGE).partition('-')[0]}.{number + 1}"
        made.listeners[number].close()
        made.listeners[number] = listening_in(name, host)
        peers.append(Peer(host, made.listeners[number].getsockname()[1], one.fingerprint, one.certificate))
    for number in range(3):
        made.change(number, peers=tuple(peers))
    run = {
        n: ("ip", "netns", "exec", name, sys.executable, "-P", "-m", "node.mpc.party")
        for n, name in enumerate(namespaces)
    }
    return made, run


def test_parties_in_namespaces_of_their_own_answer_together(
    hospitals: Callable[..., Hospitals], identities: tuple[Identity, ...], namespaces: list[str]
) -> None:
    made, run = settled(hospitals, identities, namespaces)
    for number in range(3):
        made.start(number, run[number])

    def work(number: int, process: PartyProcess) -> tuple[int, Closing]:
        process.ready()
        return int(summed(process, Tensor(0, "one", 1), np.array([number]))[0]), process.finish()

    assert [one.result()[0] for one in made.each(work).values()] == [3, 3, 3]  # type: ignore[index]


@pytest.mark.parametrize("moment", ["start", "middle", "end"])
def test_a_party_that_is_unplugged_is_named_in_time(
    hospitals: Callable[..., Hospitals], identities: tuple[Identity, ...], namespaces: list[str], moment: str
) -> None:
    made, run = settled(hospitals, identities, namespaces)
    for number in range(3):
        made.start(number, run[number])
    reached = threading.Barrier(3, lambda: ip("link", "set", wire(namespaces[CULPRIT]), "down"), timeout=300)

    def work(_: int, process: PartyProcess) -> Closing:
        process.ready()
        if moment == "middle":
            process._send(Kind.SUM, Batch((LONG,)).encode())
            process._swap(np.zeros(PIECE_VALUES, np.int64))
        if moment == "end":
            summed(process, LONG, np.zeros(LONG.cells, np.int64))
        reached.wait()
        if moment == "start":
            summed(process, LONG, np.zeros(LONG.cells, np.int64))
        if moment == "middle":
            process._swap(np.zeros(PIECE_VALUES, np.int64))
        return process.finish()

    for number, future in made.each(work).items():
        with pytest.raises(Ended) as raised:
            future.result()
        if number != CULPRIT:
            assert (raised.value.party, raised.value.reason) == (CULPRIT, Reason.SILENT)
