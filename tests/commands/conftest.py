"""One marketplace on Anvil for all tests of the commands, a buyer for each."""

from pathlib import Path

import pytest

from tests.commands.market import Buyer, Market, build
from tests.ledger.fixtures import anvil_url

__all__ = ["anvil_url"]


@pytest.fixture(scope="session")
def market(anvil_url: str, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Somebody to buy from."""
    return build(anvil_url, tmp_path_factory.mktemp("market"))


@pytest.fixture
def buyer(market: Market, tmp_path: Path) -> Buyer:
    """Somebody who buys."""
    return market.buyer(tmp_path / "home")
