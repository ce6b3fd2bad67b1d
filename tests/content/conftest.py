"""A real IPFS daemon, and every adapter behind one fixture."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from marketplace.content.directory import DirectoryStore
from marketplace.content.gateway import GatewayStore
from marketplace.content.kubo import KuboStore
from marketplace.content.memory import MemoryStore
from tests.content.httpserver import blocks_at, serving
from tests.content.shelf import Shelf, on_files, place_in_directory, place_in_repository

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Daemon:
    """A running IPFS daemon: the multiaddresses of its RPC interface and its gateway, its repository's folder."""

    rpc: str
    gateway: str
    repository: Path


@contextmanager
def running() -> Iterator[Daemon]:
    (ROOT / ".tools").mkdir(exist_ok=True)
    with (ROOT / ".tools" / "ipfs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([ROOT / "scripts" / "ipfs-daemon"], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
    with process:
        try:
            assert line, "scripts/ipfs-daemon did not start; run it by hand to see why"
            rpc, gateway, repository = line.split()
            yield Daemon(rpc, gateway, Path(repository))
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def daemon() -> Iterator[Daemon]:
    with running() as daemon:
        yield daemon


@pytest.fixture
def fresh_daemon() -> Iterator[Daemon]:
    """One of its own: a daemon clears away only once nobody waits for a block any more, and other tests leave it waiting."""
    with running() as daemon:
        yield daemon


@pytest.fixture
def kubo(daemon: Daemon) -> Iterator[KuboStore]:
    store = KuboStore(daemon.rpc)
    yield store
    store.close()


@pytest.fixture(params=["memory", "directory", "kubo", "gateway"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """Each adapter in turn. The daemon behind `kubo` is shared, so a test that spoils blocks uses bytes of its own."""
    with ExitStack() as stack:
        match request.param:
            case "memory":
                memory = MemoryStore()
                yield Shelf(memory, memory, memory, memory._blocks.__setitem__, memory._blocks.__delitem__)
            case "directory":
                directory = DirectoryStore(tmp_path / "store")
                yield on_files(directory, directory, directory, place_in_directory(tmp_path / "store"))
            case "kubo":
                daemon: Daemon = request.getfixturevalue("daemon")
                kubo = KuboStore(daemon.rpc)
                hasty = KuboStore(daemon.rpc, timeout_s=8)
                stack.callback(kubo.close)
                stack.callback(hasty.close)
                yield on_files(kubo, kubo, hasty, place_in_repository(daemon.repository))
            case "gateway":
                place = place_in_directory(tmp_path / "store")
                gateway = GatewayStore(stack.enter_context(serving(blocks_at(place))))
                stack.callback(gateway.close)
                yield on_files(gateway, DirectoryStore(tmp_path / "store"), gateway, place)
