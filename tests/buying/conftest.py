"""Somebody to buy from and somebody who buys. Deploying, staking and publishing take a while, so tests share what they can."""

from pathlib import Path

import pytest

from marketplace.ledger.embedded import EmbeddedLedger
from tests.buying.provider import BOND_UNITS
from tests.buying.world import World, build, enter
from tests.certificate.examples import RHO_MICRO


@pytest.fixture(scope="session")
def ledger() -> EmbeddedLedger:
    """The chain."""
    return EmbeddedLedger()


@pytest.fixture(scope="module")
def market(ledger: EmbeddedLedger, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A provider with an offer that has room for all the orders of a module."""
    world = build(ledger, tmp_path_factory.mktemp("nobody"))
    dataset = world.provider.list_dataset(10_000 * RHO_MICRO)
    world.standing = world.provider.offer(dataset, staked_units=1_000 * BOND_UNITS, max_open=1_000)
    return world


@pytest.fixture
def world(market: World, tmp_path: Path) -> World:
    """A buyer, a wallet and a store of its own on that market."""
    return enter(market, tmp_path / "orders")


@pytest.fixture
def fresh(ledger: EmbeddedLedger, tmp_path: Path) -> World:
    """A provider of its own too, without any offer."""
    return build(ledger, tmp_path / "orders")
