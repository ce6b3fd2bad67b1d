"""The same world on every adapter."""

from collections.abc import Iterator

import pytest

from tests.ledger.fixtures import anvil_url, embedded_ledger
from tests.ledger.world import World, anvil_world, embedded_world

__all__ = ["anvil_url", "embedded_ledger", "world"]


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A marketplace with a provider, a buyer and a stranger, on each kind of chain."""
    if request.param == "embedded":
        yield embedded_world()
    else:
        yield anvil_world(request.getfixturevalue("anvil_url"))
