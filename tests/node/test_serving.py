"""A node that answers beside its daemon: a buyer looks into a delivery over real TLS before it accepts."""

import json
import secrets
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.buying.client import Client
from marketplace.buying.purchase import Wishes
from marketplace.buying.quote import ask_quote
from marketplace.buying.spot_check import Finding
from marketplace.content.directory import DirectoryStore
from marketplace.errors import Invalid, Refused
from marketplace.keys.secretbox import SecretBox
from marketplace.ledger.follower import Follower
from marketplace.protocol import result
from marketplace.protocol.descriptor import Described, Descriptor, Place
from marketplace.protocol.identity import OfferId, OrderId
from marketplace.protocol.states import OrderState
from marketplace.sealing import chunk_key
from marketplace.settings import Connection, write_connection
from node.daemon import Daemon
from node.endpoint.opened import opened_chunks
from node.endpoint.settings import EndpointSettings
from node.home import JOURNAL, KEYS, SETTINGS
from node.journal import Journal
from node.sale import read_secrets
from node.serving import describe, rotate, serving, tell
from node.work import Made, Seal
from scripts.ports import HOST, take_ports
from tests.ledger.fixtures import tell_anvil
from tests.ledger.world import anvil_world
from tests.node.examples import SCHEMA, records
from tests.node.market import SLOT_S, Market
from tests.node.terminal import environment, settle_in, split, start
from tests.node.workplace import LONGEST_S, STORAGE_KEY

ROWS = 4_000


@pytest.fixture
def market(anvil_url: str, tmp_path: Path) -> Market:
    """A hospital on Anvil whose node has an endpoint."""
    world = anvil_world(anvil_url)
    market = Market.open(world.ledger, world.token, world.pass_time, world.provider, world.buyer, tmp_path)
    place = Place(HOST, *take_ports())
    return replace(market, node=replace(market.node, endpoint=EndpointSettings(place, place)))


def place(market: Market) -> OrderId:
    return market.client.place(market.client.draft(market.offer.id, rows=ROWS, slot_s=SLOT_S)).order


def sealed(market: Market, daemon: Daemon, order: OrderId, before: Callable[[Path], None]) -> None:
    """Lets the node make the result and seal it, once `before` was done to its folder, and deliver it."""
    folder = daemon.effects.order_folder(order)
    market.run(daemon, lambda: daemon.effects.workers.made(order, folder) is Made.DONE)
    assert Seal not in market.steps(order)
    before(folder)
    market.run_until(daemon, order, OrderState.DELIVERED)


def test_a_buyer_looks_into_a_delivery_accepts_it_and_the_node_goes_on(market: Market) -> None:
    notes: list[str] = []
    daemon, order = market.daemon(), place(market)
    _, described = describe(market.node)
    with serving(market.node, daemon, notes.append):
        assert daemon.account is None
        market.run_until(daemon, order, OrderState.DELIVERED)
        verdict = market.client.spot_check(order, described)
        assert verdict.passed, verdict
        assert len(verdict.chunks) == 4
        assert opened_chunks(daemon.effects.journal, order) == set(verdict.chunks)
        assert market.client.spot_check(order, described) == verdict
        assert opened_chunks(daemon.effects.journal, order) == set(verdict.chunks)
        market.client.accept(order)
        market.run_until(daemon, order, OrderState.REVEALED)
        with pytest.raises(Refused, match="it is Revealed; nothing is opened"):
            market.client.spot_check(order, described)
    market.client.open(order, market.folder / "result")
    daemon.close()
    assert notes == []


def test_garbage_that_a_node_seals_consistently_is_noticed_and_rejected(market: Market) -> None:
    def spoil(folder: Path) -> None:
        size = (folder / result.TABLE).stat().st_size
        (folder / result.TABLE).write_bytes((b"sex,age,test\n" + b"0123456789," * size)[:size])

    daemon, order = market.daemon(), place(market)
    _, described = describe(market.node)
    with serving(market.node, daemon, lambda _: None):
        sealed(market, daemon, order, spoil)
        verdict = market.client.spot_check(order, described)
        assert verdict.finding is Finding.OUTSIDE_SCHEMA, verdict
        market.client.reject(order)
        market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert market.order(order).state is OrderState.REFUNDED


def test_a_node_with_another_certificate_than_the_ledger_names_hears_nothing(market: Market) -> None:
    daemon, order = market.daemon(), place(market)
    _, before = describe(market.node)
    _, after = rotate(market.node)
    assert before.certificate != after.certificate
    with serving(market.node, daemon, lambda _: None):
        market.run_until(daemon, order, OrderState.DELIVERED)
        verdict = market.client.spot_check(order, before)
        assert verdict.finding is Finding.NO_ANSWER
        assert "got another, so nothing was sent" in verdict.evidence
        assert opened_chunks(daemon.effects.journal, order) == frozenset()
        assert market.client.spot_check(order, after).passed
    daemon.close()


def test_a_node_without_the_setting_answers_nobody(market: Market) -> None:
    silent = replace(market.node, endpoint=None)
    daemon = silent.daemon(lambda _: None)
    with serving(silent, daemon, lambda _: None) as endpoint:
        assert endpoint is None
    daemon.close()
    assert not (silent.folder / KEYS).exists()
    for make in (describe, rotate):
        with pytest.raises(Invalid, match="expected the setting endpoint"):
            make(silent)


def test_the_ledger_is_told_of_a_descriptor_once(market: Market) -> None:
    _, described = describe(market.node)
    provider = market.node.keys.signer.address
    assert tell(market.node, described) is not None
    assert tell(market.node, described) is None
    _, other = rotate(market.node)
    assert tell(market.node, other) is not None
    view = market.client.account().providers[provider]
    assert [(each.descriptor, each.certificate) for each in view.descriptors] == [
        (each.descriptor, each.certificate) for each in (described, other)
    ]
    market.ledger.describe(market.node.keys.signer, bytes(32), bytes(32))
    assert tell(market.node, other) is not None


def test_a_descriptor_says_who_answers_where(market: Market) -> None:
    descriptor, described = describe(market.node)
    assert market.node.endpoint is not None
    assert descriptor == Descriptor(market.node.keys.signer.address, market.node.endpoint.public, described.certificate)
    assert describe(market.node) == (descriptor, described)


# ------------------------------------------------------------------------------------------------ as a process of its own


def spoken(arguments: tuple[str, ...], given: dict[str, str]) -> dict[str, Any]:
    """The one JSON object that a command printed, having ended well."""
    ended = split(arguments, given)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


@dataclass
class Hospital:
    """A node's folder with an endpoint and an offer, a buyer, and the node's process. `said`: what it printed."""

    folder: Path
    url: str
    client: Client
    offer: OfferId
    said: str = ""
    process: "subprocess.Popen[str] | None" = None

    @property
    def given(self) -> dict[str, str]:
        return environment(self.folder / "node")

    def start(self) -> None:
        """Starts the node, and waits until it answers."""
        self.process = start(("run", "--json"), self.given)
        assert self.process.stderr is not None
        while not (line := self.process.stderr.readline()).startswith("answering at"):
            assert line, "the node ended"
            self.said += line

    def end(self, how: signal.Signals) -> None:
        """Ends the node."""
        assert self.process is not None
        self.process.send_signal(how)
        self.said += "".join(self.process.communicate(timeout=300))
        assert self.process.returncode == (0 if how is signal.SIGTERM else -how)
        self.process = None

    def deliver(self) -> OrderId:
        """An order that the node has delivered."""
        order = self.client.place(self.client.draft(self.offer, rows=ROWS, slot_s=SLOT_S)).order
        until = time.monotonic() + LONGEST_S
        while self.client.order(order).state is not OrderState.DELIVERED:
            assert time.monotonic() < until
            tell_anvil(self.url, "evm_mine")
            time.sleep(0.1)
        return order

    def endpoint(self, verb: str) -> Described:
        """What `agora-node endpoint` says that the ledger is to say."""
        shown = spoken(("endpoint", verb, "--json"), self.given)
        return Described(bytes.fromhex(shown["descriptor"]), bytes.fromhex(shown["certificate"]))


@pytest.fixture
def hospital(anvil_url: str, tmp_path: Path) -> Iterator[Hospital]:
    world = anvil_world(anvil_url)
    connection = Connection(anvil_url, world.ledger.domain.contract, None, str(tmp_path / "store"))
    settle_in(tmp_path / "node", connection, world.provider)
    settings = f'{write_connection(connection)}endpoint = "{HOST}:{take_ports()[0]}"\nbelow_floor = true\n'
    (tmp_path / "node" / SETTINGS).write_text(settings)
    client = Client(
        ledger=world.ledger,
        follower=Follower(world.ledger),
        store=DirectoryStore(tmp_path / "store"),
        signer=world.buyer,
        seed=secrets.token_bytes(32),
        folder=tmp_path / "buyer",
        clock=time.time,
    )
    hospital = Hospital(
        tmp_path, anvil_url, client, list_and_publish(environment(tmp_path / "node"), world.token, tmp_path)
    )
    yield hospital
    if hospital.process is not None:
        hospital.process.kill()
        hospital.process.communicate(timeout=300)


def list_and_publish(given: dict[str, str], token: str, folder: Path) -> OfferId:
    (folder / "schema.json").write_text(json.dumps(SCHEMA.document()))
    path, schema = str(records(folder / "records.csv")), str(folder / "schema.json")
    add = ("dataset", "add", path, "--schema", schema, "--title", "Tests", "--rows", "400", "--total-rho", "100000")
    dataset = spoken((*add, "--json"), given)["dataset"]
    money = ("--cost", "9", "--margin", "1", "--bond", "5", "--epsilon", "1")
    published = spoken(("offer", "publish", dataset, "--token", token, *money, "--json"), given)
    return OfferId(bytes.fromhex(published["offer"]))


def test_a_real_node_opens_eight_chunks_of_a_real_twin_for_ever_also_when_it_is_killed_in_between(
    hospital: Hospital,
) -> None:
    client, described = hospital.client, hospital.endpoint("describe")
    assert hospital.endpoint("describe") == described
    hospital.start()
    order = hospital.deliver()
    quoted = ask_quote(client, hospital.offer, Wishes(rows=ROWS))
    assert quoted.quote.refusal is None
    assert quoted.quote.expectation is not None
    assert quoted.quote.expectation.below_floor
    verdict = client.spot_check(order, chunks=8)
    assert verdict.passed, verdict
    hospital.end(signal.SIGKILL)

    rotated = hospital.endpoint("rotate")
    hospital.start()
    silence = client.spot_check(order, described, chunks=8)
    assert (silence.finding, silence.chunks) == (Finding.NO_ANSWER, (0,))
    assert "got another, so nothing was sent" in silence.evidence
    assert client.spot_check(order, rotated, chunks=8) == verdict
    assert hospital.endpoint("describe") == rotated
    assert client.spot_check(order, chunks=8) == verdict
    forgetful = replace(client, folder=hospital.folder / "another wallet folder")
    refused = forgetful.spot_check(order, rotated, chunks=8)
    assert refused.finding is Finding.NO_ANSWER
    assert "at most 8 different chunks of this order ever, 8 are open already" in refused.evidence
    hospital.end(signal.SIGTERM)

    journal = Journal(hospital.folder / "node" / JOURNAL)
    assert opened_chunks(journal, order) == set(verdict.chunks)
    key = read_secrets(journal, SecretBox(STORAGE_KEY), order).key
    journal.close()
    for secret in (key, *(chunk_key(key, index) for index in verdict.chunks), STORAGE_KEY):
        assert secret.hex() not in hospital.said
    assert "Traceback" not in hospital.said
    (tls,) = (hospital.folder / "node" / KEYS).glob("tls*")
    assert stat.S_IMODE(tls.stat().st_mode) == 0o600


def test_a_port_that_another_has_ends_the_node_with_the_reason(hospital: Hospital) -> None:
    taken = next(line for line in (hospital.folder / "node" / SETTINGS).read_text().splitlines() if "endpoint" in line)
    with socket.create_server((HOST, int(taken.rpartition(":")[2].strip('"')))):
        ended = split(("run",), hospital.given)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.splitlines()[-1].startswith("error: expected to listen at 127.0.0.1")
