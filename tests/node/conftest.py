"""A real chain for the node's tests, and a hospital on it; what parties of joint orders agree on."""

from collections.abc import Iterator

import pytest

from node.workers.count_process import CountProcess
from tests.ledger.fixtures import run_anvil
from tests.ledger.world import World, anvil_world
from tests.node.hospital import Hospital, open_hospital

__all__ = ["anvil_url", "hospital", "world"]


@pytest.fixture(scope="module")
def anvil_url() -> Iterator[str]:
    """The RPC URL of a file's own Anvil: time that one file lets pass makes the clocks of no other's nodes wrong."""
    with run_anvil() as url:
        yield url


@pytest.fixture(scope="module")
def world(anvil_url: str) -> World:
    """A marketplace on Anvil."""
    return anvil_world(anvil_url)


@pytest.fixture(scope="module")
def hospital(world: World, anvil_url: str, tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """A hospital with a dataset and an offer on it."""
    return open_hospital(world, anvil_url, tmp_path_factory.mktemp("hospital"))


@pytest.fixture(scope="module")
def agreed() -> Iterator[list[bytes]]:
    """What parties alone know, at each attempt of each node, as the node hands it to the process that counts."""
    keys, hand_on = list[bytes](), CountProcess.agree

    def agree(self: CountProcess, key: bytes) -> None:
        keys.append(key)
        hand_on(self, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CountProcess, "agree", agree)
        yield keys
