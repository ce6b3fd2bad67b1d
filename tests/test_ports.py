"""Ports for whoever listens later: neighbours, nobody's, given once."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.errors import Refused
from scripts import ports
from scripts.ports import BLOCK, HOST, take_ports

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def guards(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """What holds the ports of one test, which are free again after it."""
    made: list[socket.socket] = []
    monkeypatch.setattr(ports, "_guards", made)
    monkeypatch.setattr(ports, "_left", range(0))
    yield made
    for guard in made:
        guard.close()


def test_ports_are_neighbours_below_those_of_outgoing_connections_and_given_once() -> None:
    taken = [take_ports(count) for count in (1, 3, BLOCK, 2, BLOCK)]
    assert [len(each) for each in taken] == [1, 3, BLOCK, 2, BLOCK]
    assert all(each.step == 1 and each[-1] < 32_768 for each in taken)
    assert len({port for each in taken for port in each}) == sum(map(len, taken))


def test_two_processes_that_live_at_once_get_different_ones(guards: list[socket.socket]) -> None:
    take_ports()
    program = f"from scripts.ports import take_ports; print(*take_ports({BLOCK}))"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    _, own = guards[0].getsockname()
    assert set(range(own, own + BLOCK)).isdisjoint(map(int, said.split()))


def test_a_port_at_which_somebody_listens_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    three = take_ports(3)
    monkeypatch.setattr(ports, "_left", three)
    with socket.create_server((HOST, three[0])):
        assert take_ports() == three[1:2]
    monkeypatch.setattr(ports, "_left", three)
    with socket.create_server((HOST, three[1])):
        assert take_ports() == three[:1]
        assert take_ports() == three[2:]


def test_where_all_are_taken_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "HIGHEST", ports.LOWEST)
    with pytest.raises(Refused, match="expected free ports between"):
        take_ports()
