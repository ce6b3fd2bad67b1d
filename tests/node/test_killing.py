"""A node that is killed at every step there is, and started again, on a real chain: it loses nothing and repeats nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from marketplace.keys.secretbox import SecretBox
from marketplace.ledger import artifact
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol import result
from marketplace.protocol.account import OrderView
from marketplace.protocol.identity import OrderId
from marketplace.protocol.states import OrderState, Reason
from marketplace.sealing import capacity_for, plain_root_of
from node.files import make_folder
from node.journal import Journal, Mark
from node.sale import read_secrets
from node.synthesis.generators import generator_of
from node.vault.database import connect
from node.workers.job import Name
from node.workers.making import make
from tests.ledger.fixtures import tell_anvil
from tests.ledger.world import anvil_world
from tests.node.dying import DEADLY, EVERYWHERE, Points
from tests.node.examples import SCHEMA
from tests.node.market import HOUR_S, Market
from tests.node.quick_child import quick
from tests.node.runner import LOG, STOP, TICKS, Settings
from tests.node.workplace import LONGEST_S, ROOT, STORAGE_KEY

PAUSE_S = 0.02


def around(kind: str, *names: str) -> list[str]:
    return [f"{kind} {when} {name}" for name in names for when in ("before", "after")]


def sending(function: str) -> list[str]:
    """Where a node can die around one transaction."""
    return [
        f"{function} signed",
        *around("journal", f"signed:{function}"),
        f"{function} before sending",
        f"{function} sent",
        *around("journal", f"sent:{function}"),
    ]


def writing(*names: str) -> list[str]:
    """Where a node can die around files of its own."""
    return [f"file {when} {name}" for name in names for when in ("before", "unfinished", "after")]


BEGINNING = [
    *writing(Name.SPECIFICATION, Name.DESCRIPTION),
    *around("journal", Mark.STARTED),
    "worker before start",
    "worker after start",
]
WORKING = [
    *("opened", "debited", "key made", "key journalled"),
    *(f"kept {name}" for name in (Name.MEASUREMENTS, *result.NAMES, Name.PROVIDER_REPORT, Name.OUTCOME)),
]
SEALING = [
    *around("journal", Mark.SECRETS, Mark.SEALED),
    *writing(Name.RESULT, Name.MANIFEST, Name.SEALED),
    *(f"block {number} {when}" for number in (1, 2, 3) for when in ("before", "after")),
    "stored after 1 blocks",
    "stored the object",
]
SERVED = [*BEGINNING, *WORKING, *SEALING, *sending("deliver"), *sending("reveal"), *sending("settle")]
CLOSING = ["worker before close", "worker after close"]
DECLINED = [*CLOSING, *around("journal", Mark.DECLINED), *sending("decline"), *sending("release")]
LAPSED = [*sending("refund"), *CLOSING, *sending("release")]
FEW_IN_THE_WORK = ("debited", f"kept {Name.MEASUREMENTS}")


class Serving:
    """A node that lives in other processes, one after the other."""

    def __init__(self, market: Market, settings: Settings) -> None:
        settings.write(market.folder)
        self._market = market
        with (market.folder / LOG).open("wb") as log:
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-m", "tests.node.runner", str(market.folder)]
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Lets a second pass on the ledger with each tick that the node lived through, until `reached`."""
        until, ticks = time.monotonic() + LONGEST_S, self._ticks()
        while not reached():
            assert time.monotonic() < until, self._said()
            assert self._process.poll() is None, self._said()
            if self._ticks() > ticks:
                ticks = self._ticks()
                self._market.pass_time(1)
            time.sleep(PAUSE_S)

    def stop(self) -> None:
        (self._market.folder / STOP).touch()
        assert self._process.wait(LONGEST_S) == 0, self._said()

    def _ticks(self) -> int:
        path = self._market.folder / TICKS
        return path.stat().st_size if path.exists() else 0

    def _said(self) -> str:
        return (self._market.folder / LOG).read_text()


@pytest.fixture
def market(anvil_url: str, tmp_path: Path) -> Iterator[Market]:
    world = anvil_world(anvil_url)
    yield Market.open(world.ledger, world.token, world.pass_time, world.provider, world.buyer, tmp_path)


def settings(market: Market, anvil_url: str, **changes: object) -> Settings:
    signer = market.node.keys.signer
    assert isinstance(signer, LocalSigner)
    return Settings(anvil_url, market.ledger.domain.contract, signer.key.hex(), **changes)  # type: ignore[arg-type]


def transactions(market: Market, anvil_url: str) -> list[str]:
    """The functions of the marketplace that the provider's transactions called, in the chain's order, the undone too."""
    names = {item.selector: item.name for item in artifact.load().marketplace.functions.values()}
    provider, contract = (
        address.lower() for address in (market.node.keys.signer.address, market.ledger.domain.contract)
    )
    found = []
    for number in range(market.ledger.head_block() + 1):
        block = cast(dict[str, Any], tell_anvil(anvil_url, "eth_getBlockByNumber", hex(number), True))
        for sent in block["transactions"]:
            if (sent["from"].lower(), str(sent["to"]).lower()) == (provider, contract):
                found.append(names[bytes.fromhex(sent["input"][2:10])])
    return found


def about_orders(functions: list[str]) -> list[str]:
    return [name for name in functions if name not in ("register", "publish", "stake")]


def serve(market: Market, given: Settings) -> OrderView:
    """An order's whole way, with a buyer who never settles."""
    order = market.place()
    serving = Serving(market, given)
    serving.wait_for(lambda: market.order(order).state is OrderState.DELIVERED)
    market.client.receive(order)
    market.client.accept(order)
    serving.wait_for(lambda: market.order(order).state is OrderState.REVEALED)
    market.client.open(order, market.folder / "result")
    serving.wait_for(lambda: "journal after sent:reveal" in Points(market.points).passed())
    market.pass_time(HOUR_S)
    serving.wait_for(lambda: market.order(order).state is OrderState.SETTLED)
    serving.wait_for(lambda: not (order_folder(market, order) / Name.RESULT).exists())
    serving.stop()
    return market.order(order)


def order_folder(market: Market, order: OrderId) -> Path:
    return market.folder / "node" / "orders" / order.hex()


def assert_served_once(market: Market, anvil_url: str, order: OrderView, real: bool = False) -> None:
    assert about_orders(transactions(market, anvil_url)) == ["deliver", "reveal", "settle"]
    assert market.debits(order.id) == [market.offer.members[0].rho_micro]
    keys = connect(market.folder / "node" / "vault")
    assert keys.execute("SELECT count(*) FROM noise_key").fetchone() == (1,)
    keys.close()
    assert order.delivery is not None
    assert order.delivery.plain_root == plain_root_again(market, order, real)
    market.assert_sound()


def plain_root_again(market: Market, order: OrderView, real: bool) -> bytes:
    """The plain root if the same draw is made again from the beginning, in another folder."""
    folder, kept = market.folder / "again", order_folder(market, order.id)
    make_folder(folder)
    for name in (Name.JOB, Name.SPECIFICATION, Name.DESCRIPTION):
        (folder / name).write_bytes((kept / name).read_bytes())
    make(folder, STORAGE_KEY, lambda _: None, generator_of if real else quick)
    with (folder / Name.RESULT).open("wb") as out:
        result.pack({name: folder / name for name in result.NAMES}, out)
    journal = Journal(market.folder / "node" / "journal.sqlite")
    assert len([entry for entry in journal.entries(order.id) if entry.mark == Mark.SECRETS]) == 1
    secrets = read_secrets(journal, SecretBox(STORAGE_KEY), order.id)
    journal.close()
    capacity = capacity_for(result.most_bytes(SCHEMA, 50))
    with (folder / Name.RESULT).open("rb") as plain:
        return plain_root_of(plain, capacity=capacity, secret=secrets.salts)


def deadly(market: Market, *points: str) -> None:
    (market.points / DEADLY).write_text("\n".join(points))


def test_a_node_that_is_killed_around_every_effect_serves_its_order_once(market: Market, anvil_url: str) -> None:
    killed_at = [*BEGINNING, *FEW_IN_THE_WORK, *SEALING, *sending("deliver"), *sending("reveal"), *sending("settle")]
    deadly(market, *killed_at)
    order = serve(market, settings(market, anvil_url))
    assert set(killed_at) <= set(Points(market.points).passed())
    assert order.reason is Reason.UNCHALLENGED
    assert_served_once(market, anvil_url, order)


def test_a_node_that_is_killed_at_every_step_declines_and_releases_once(market: Market, anvil_url: str) -> None:
    deadly(market, EVERYWHERE)
    order = market.place()
    serving = Serving(market, settings(market, anvil_url, lets_in=False))
    serving.wait_for(lambda: market.order(order).released != frozenset())
    serving.wait_for(lambda: set(DECLINED) <= set(Points(market.points).passed()))
    serving.stop()
    assert set(DECLINED) == set(Points(market.points).passed())
    assert about_orders(transactions(market, anvil_url)) == ["decline", "release"]
    assert market.debits(order) == []
    assert market.used_micro() == 0
    market.assert_sound()


def test_a_node_that_is_killed_at_every_step_refunds_and_releases_once(market: Market, anvil_url: str) -> None:
    deadly(market, EVERYWHERE)
    order = market.place()
    market.pass_time(HOUR_S + 1)
    serving = Serving(market, settings(market, anvil_url))
    serving.wait_for(lambda: market.order(order).released != frozenset())
    serving.wait_for(lambda: set(LAPSED) <= set(Points(market.points).passed()))
    serving.stop()
    assert set(LAPSED) == set(Points(market.points).passed())
    assert about_orders(transactions(market, anvil_url)) == ["refund", "release"]
    assert market.used_micro() == 0
    market.assert_sound()


@pytest.mark.slow
def test_a_node_that_is_killed_at_every_step_there_is_serves_its_order_once(market: Market, anvil_url: str) -> None:
    deadly(market, EVERYWHERE)
    order = serve(market, settings(market, anvil_url))
    assert set(SERVED) <= set(Points(market.points).passed())
    assert_served_once(market, anvil_url, order)


@pytest.mark.slow
@pytest.mark.parametrize("point", SERVED)
def test_a_node_that_is_killed_at_one_step_serves_its_order_once(market: Market, anvil_url: str, point: str) -> None:
    deadly(market, point)
    order = serve(market, settings(market, anvil_url))
    assert point in Points(market.points).passed()
    assert_served_once(market, anvil_url, order)


@pytest.mark.slow
def test_the_real_generator_draws_once_when_its_node_is_killed(market: Market, anvil_url: str) -> None:
    deadly(market, "worker after start", *SEALING, *sending("deliver"))
    order = serve(market, settings(market, anvil_url, real=True))
    assert_served_once(market, anvil_url, order, real=True)
