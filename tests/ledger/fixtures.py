"""Fixtures that other parts' tests may import: a ledger in the process, and the URL of a real Anvil."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.errors import Unreachable
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.jsonrpc import JsonRpcChain
from scripts.ports import take_ports

ROOT = Path(__file__).parent.parent.parent
START_S = 60


@pytest.fixture
def embedded_ledger() -> EmbeddedLedger:
    """A marketplace and a test euro of their own, on a chain of their own in this process."""
    return EmbeddedLedger()


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    """The RPC URL of an Anvil that lives as long as the tests."""
    with run_anvil() as url:
        yield url


class run_anvil:  # noqa: N801
    """An Anvil at a free port for as long as the `with` lasts, installed first where it is missing. Gives its URL.

    It keeps the states of the last 100 blocks only: all of them would take gigabytes after some thousand transactions.
    """

    def __init__(self, *arguments: str) -> None:
        subprocess.run([ROOT / "scripts" / "anvil", "--version"], check=True, stdout=subprocess.DEVNULL)
        (self._port,) = take_ports()
        always = ("--silent", "--prune-history", "100", "--port", str(self._port))
        command = [str(ROOT / "scripts" / "anvil"), *always, *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def __enter__(self) -> str:
        url = f"http://127.0.0.1:{self._port}"
        until = time.monotonic() + START_S
        while True:
            try:
                JsonRpcChain(url)
            except Unreachable:
                if time.monotonic() > until or self._process.poll() is not None:
                    self.__exit__()
                    raise
                time.sleep(0.05)
            else:
                return url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def tell_anvil(url: str, method: str, *params: object) -> object:
    """One of the methods that only a chain for development has, such as `evm_increaseTime`."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    question = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(question) as answer:
        return json.load(answer)["result"]
