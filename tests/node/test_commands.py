"""`agora-node` as its user meets it: what it prints, how it ends, and that it never ends in a traceback."""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.content.cid import Cid
from marketplace.content.directory import DirectoryStore
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import connect
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.descriptor import Descriptor, Place
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.states import DeclineReason
from marketplace.settings import Connection, read_connection, write_connection
from node.commands.main import _say, _show
from node.daemon import Happened
from node.endpoint.settings import NAMES, EndpointSettings, read_endpoint
from node.home import JOURNAL, SETTINGS
from node.journal import Journal
from node.objection import Objection
from node.work import Abstain
from tests.ledger.fixtures import run_anvil
from tests.ledger.world import World, anvil_world
from tests.node.examples import records
from tests.node.hospital import MONEY, Hospital, assert_refused, document, fund, listing, offering
from tests.node.terminal import environment, run, settle_in, split, start

NOTHING_LISTENS = "http://127.0.0.1:9"
SECRET_URL = "http://user:hush@127.0.0.1:9"


# ---------------------------------------------------------------------------------------------------- the whole of it


def test_a_provider_types_its_way_from_nothing_to_an_offer_and_back(
    world: World, anvil_url: str, tmp_path: Path
) -> None:
    given = environment(tmp_path / "node")
    connection = ("--rpc", anvil_url, "--contract", world.ledger.domain.contract, "--store", str(tmp_path / "store"))
    made = document(run(("init", *connection, "--confirmations", "0", "--json"), given))
    address = Address(str(made["address"]))
    fund(world, anvil_url, address)
    path, schema = records(tmp_path / "records.csv"), tmp_path / "schema.json"
    drafted = split(("dataset", "draft", str(path), "--out", str(schema), "--person", "patient", "--json"), given)
    assert set(document(drafted)["columns"]) == {"patient", "sex", "age", "test"}  # type: ignore[call-overload]
    add = ("dataset", "add", str(path), "--schema", str(schema), "--title", "Tests", "--rows", "400")
    added = document(split((*add, "--total-rho", "50000", "--json"), given))
    assert added["rows_declared"] == 400
    publish = ("offer", "publish", str(added["dataset"]), "--token", world.token, "--epsilon", "1", *MONEY, "--json")
    published = document(split(publish, given))
    steps = [part["step"] for part in published["transactions"]]  # type: ignore[attr-defined]
    assert steps == ["approve", "stake", "publish"]
    assert published["price_units"] == 10_000_000
    serving = start(("run", "--json"), given)
    assert serving.stderr is not None
    assert serving.stderr.readline() == f"serving orders of {address}\n"
    serving.send_signal(signal.SIGTERM)
    assert serving.communicate(timeout=300) == ("", "")
    assert serving.returncode == 0
    status = document(run(("status", "--json"), given))
    standing = {"total_micro": 50_000, "used_micro": 0, "epoch": 1, "exact_left": 0}
    assert status["datasets"] == [{"id": added["dataset"], **standing}]
    assert document(split(("offer", "retire", str(published["offer"]), "--json"), given))["offer"] == published["offer"]
    withdrawn = document(split(("withdraw", "--stake", "--json"), given))["transactions"]
    assert [part["step"] for part in withdrawn] == ["withdrawCredit"]  # type: ignore[attr-defined]
    assert world.ledger.balance_units(world.token, address) == 10**12


# ------------------------------------------------------------------------------------------------------ what is printed


def test_each_command_speaks_to_people_too(hospital: Hospital, tmp_path: Path) -> None:
    added = hospital.type("dataset", "add", *listing(hospital), "--total-rho", "100000")
    assert added.code == 0
    assert added.out.startswith("Dataset ")
    assert "Provider only" in added.err
    dataset = added.out.split()[1].rstrip(",")
    revised = hospital.type("dataset", "revise", dataset, *listing(hospital))
    assert "version 2" in revised.out
    published = hospital.type("offer", "publish", *offering(replace(hospital, dataset=dataset)), "--epsilon", "0.5")
    assert "EUR 10.00 (test)" in published.out
    assert (
        "warning: its rows are expected to be worse than a shuffle of the columns; orders are served" in published.err
    )
    assert "Join a pool of about " in published.err
    offer = published.out.split()[1].rstrip(":")
    assert "Retired" in hospital.type("offer", "retire", offer).out
    status = hospital.type("status")
    assert f"dataset {dataset}: 0 of 100,000 micro-rho used" in status.out
    assert hospital.type("withdraw").out == "nothing to withdraw\n"
    drafted = hospital.type("dataset", "draft", str(hospital.records), "--out", str(tmp_path / "draft.json"))
    assert "patient" in drafted.out
    assert "Draft in" in drafted.err


def test_a_draft_is_for_its_provider_only(hospital: Hospital, tmp_path: Path) -> None:
    out = tmp_path / "draft.json"
    before = os.umask(0)
    hospital.type("dataset", "draft", str(hospital.records), "--out", str(out), "--person", "patient")
    os.umask(before)
    assert out.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "arguments", [("--help",), ("dataset", "--help"), ("offer", "publish", "--help"), ("run", "--help")]
)
def test_help_is_no_error(hospital: Hospital, arguments: tuple[str, ...]) -> None:
    assert hospital.type(*arguments).code == 0


# ------------------------------------------------------------------------------------------------- nobody to speak to

SPEAKING: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("withdraw",),
    ("run",),
    ("offer", "retire", "00" * 32),
    ("endpoint", "describe"),
    ("endpoint", "rotate"),
    ("offer", "publish", "00" * 32, "--token", "0x" + "00" * 20, "--epsilon", "1", *MONEY),
    ("dataset", "revise", "00" * 32, "r.csv", "--schema", "s.json", "--title", "t", "--rows", "9"),
)


@pytest.mark.parametrize("arguments", SPEAKING, ids=" ".join)
def test_a_wrong_passphrase_is_refused(hospital: Hospital, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "wrong").write_text("battery staple")
    ended = hospital.type(*arguments, AGORA_PASSPHRASE_FILE=str(tmp_path / "wrong"))
    assert_refused(ended, 3, "passphrase is wrong")


@pytest.mark.parametrize("arguments", SPEAKING, ids=" ".join)
def test_an_rpc_that_is_down_is_unreachable(hospital: Hospital, arguments: tuple[str, ...]) -> None:
    assert_refused(hospital.type(*arguments, AGORA_RPC=SECRET_URL), 5, "no answer", "check that it runs")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"AGORA_CHAIN_ID": "1"}, 3, "chain with id 1"),
        ({"AGORA_CONTRACT": "0x" + "11" * 20}, 3, "address without code"),
        ({"AGORA_CONTRACT": "the euro"}, 3, "another contract"),
        ({"AGORA_CONTRACT": "0x12"}, 2, "40 hexadecimal digits"),
        ({"AGORA_STORE": ""}, 2, "address of a content store"),
        ({"AGORA_STORE": "ftp://hush"}, 2, "another address"),
        ({"AGORA_CONFIRMATIONS": "-1"}, 2, "confirmations"),
        ({"AGORA_PASSPHRASE_FILE": "/nowhere"}, 2, "could not read"),
    ],
)
def test_another_chain_or_contract_or_no_settings_at_all_are_told_apart(
    hospital: Hospital, changes: Mapping[str, str], code: int, words: str
) -> None:
    given = {name: hospital.world.token if value == "the euro" else value for name, value in changes.items()}
    assert_refused(hospital.type("status", **given), code, words)


def test_a_node_without_folder_settings_or_keyboard_is_invalid(hospital: Hospital, tmp_path: Path) -> None:
    assert_refused(split(("status",), environment(tmp_path / "none")), 2, "rpc, contract and store")
    given = environment(hospital.home)
    del given["AGORA_PASSPHRASE_FILE"]
    assert_refused(split(("status",), given), 2, "keyboard")
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / SETTINGS).write_text(write_connection(hospital.connection))
    assert_refused(split(("status",), environment(tmp_path / "some")), 2, "key file")
    (tmp_path / "some" / SETTINGS).write_text("rpc = ")
    assert_refused(split(("status",), environment(tmp_path / "some")), 2, "TOML")


# -------------------------------------------------------------------------------------------------------------- init


INIT = ("init", "--rpc", NOTHING_LISTENS, "--contract", "0x" + "11" * 20, "--store", "store", "--json")


def test_init_keeps_what_it_was_told_for_the_owner_only(tmp_path: Path) -> None:
    ended = split((*INIT, "--from-block", "7"), environment(tmp_path / "new" / "node"))
    assert document(ended)["address"]
    found = read_connection(tmp_path / "new" / "node" / SETTINGS, {})
    assert found == Connection(NOTHING_LISTENS, "0x" + "11" * 20, None, "store", 2, 7)
    for path in (tmp_path / "new").rglob("*"):
        assert not path.stat().st_mode & 0o077, path


def test_init_keeps_where_the_node_answers_beside_the_connection(tmp_path: Path) -> None:
    given = environment(tmp_path / "node")
    document(split((*INIT, "--endpoint", "node.example:8443", "--listen", "0.0.0.0:9443"), given))
    found = read_endpoint(tmp_path / "node" / SETTINGS, {})
    assert found == EndpointSettings(Place("node.example", 8_443), Place("0.0.0.0", 9_443))
    assert read_connection(tmp_path / "node" / SETTINGS, {}, NAMES).rpc == NOTHING_LISTENS


def test_init_keeps_where_other_hospitals_find_the_node(tmp_path: Path) -> None:
    joint = ("--party", "node.example:8444", "--party-listen", "0.0.0.0:9444")
    document(split((*INIT, "--endpoint", "node.example:8443", *joint), environment(tmp_path / "node")))
    place, party = Place("node.example", 8_443), Place("node.example", 8_444)
    expected = EndpointSettings(place, place, party, Place("0.0.0.0", 9_444))
    assert read_endpoint(tmp_path / "node" / SETTINGS, {}) == expected


@pytest.mark.parametrize(
    "changes",
    [
        ("--endpoint", "node.example"),
        ("--endpoint", "https://node.example:1"),
        ("--listen", "0.0.0.0:1"),
        ("--party", "h:1"),
    ],
)
def test_init_takes_no_place_that_is_none(tmp_path: Path, changes: tuple[str, ...]) -> None:
    assert_refused(split((*INIT, *changes), environment(tmp_path / "node")), 2, "expected")
    assert not (tmp_path / "node").exists()


def test_keys_are_never_overwritten(hospital: Hospital) -> None:
    before = {path: path.read_bytes() for path in hospital.home.rglob("*.json")}
    assert_refused(hospital.type(*INIT), 3, "never overwritten")
    assert before == {path: path.read_bytes() for path in hospital.home.rglob("*.json")}


@pytest.mark.parametrize(
    ("changes", "code"),
    [(("--contract", "0x12"), 2), (("--contract", "0x" + "Aa" * 20), 2), (("--store", "ftp://x"), 2)],
)
def test_init_takes_no_address_that_is_none(tmp_path: Path, changes: tuple[str, ...], code: int) -> None:
    assert_refused(split((*INIT, *changes), environment(tmp_path / "node")), code)
    assert not (tmp_path / "node").exists()


@pytest.mark.parametrize("changes", [("--chain-id", "-1"), ("--chain-id", "x"), ("--from-block", "-1")])
def test_init_takes_no_number_that_is_none(tmp_path: Path, changes: tuple[str, ...]) -> None:
    ended = split((*INIT, *changes), environment(tmp_path / "node"))
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert not (tmp_path / "node").exists()


def test_a_file_in_the_place_of_the_nodes_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(split(INIT, environment(tmp_path / "file" / "node")), 5, "see to it")


# ------------------------------------------------------------------------------------------------------------ datasets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        "{}",
        '{"columns": [], "person": null, "rows_per_person": 1}',
        '{"columns": 3, "person": null, "rows_per_person": 1}',
        '{"columns": [{"name": "a", "kind": "colour", "missing": false}], "person": null, "rows_per_person": 1}',
        '{"columns": [{"name": "a", "kind": "number", "lower": "x", "upper": "1", "step": "1", "missing": false}],'
        ' "person": null, "rows_per_person": 1}',
        '{"columns": [{"name": "a", "kind": "number", "lower": "NaN", "upper": "1", "step": "1", "missing": false}],'
        ' "person": null, "rows_per_person": 1}',
        '{"columns": [{"name": "a", "kind": "number", "lower": "0", "upper": "1", "step": "0", "missing": false}],'
        ' "person": null, "rows_per_person": 1}',
    ],
)
def test_a_malformed_schema_is_invalid_and_nothing_is_taken_in(hospital: Hospital, tmp_path: Path, text: str) -> None:
    (tmp_path / "schema.json").write_text(text)
    before = snapshots(hospital)
    changed = listing(hospital, schema=str(tmp_path / "schema.json"))
    assert_refused(hospital.type("dataset", "add", *changed, "--total-rho", "1000"), 2)
    assert snapshots(hospital) == before


def snapshots(hospital: Hospital) -> set[str]:
    return {path.name for path in (hospital.home / "vault" / "snapshots").iterdir()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "/nowhere.json"}, "could not read"),
        ({"rows": "0"}, "at least 1 row"),
        ({"rows": "-5"}, "at least 1 row"),
        ({"title": " "}, "title"),
        ({"total-rho": "0"}, "micro-rho"),
        ({"total-rho": "-1"}, "micro-rho"),
    ],
)
def test_words_and_numbers_are_looked_at_before_records(
    hospital: Hospital, changes: Mapping[str, str], words: str
) -> None:
    before = snapshots(hospital)
    given = {"total-rho": "1000", **changes}
    assert_refused(hospital.type("dataset", "add", *listing(hospital, **given)), 2, words)
    assert snapshots(hospital) == before


def test_records_that_contradict_the_schema_are_invalid(hospital: Hospital, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("patient,sex,age,test\np1,hush,10,negative\n")
    for path in (tmp_path / "r.csv", tmp_path / "none.csv"):
        ended = hospital.type("dataset", "add", str(path), *listing(hospital)[1:], "--total-rho", "1000")
        assert_refused(ended, 2)


def test_a_draft_that_cannot_be_written_is_told(hospital: Hospital, tmp_path: Path) -> None:
    ended = hospital.type("dataset", "draft", str(hospital.records), "--out", str(tmp_path / "no" / "draft.json"))
    assert_refused(ended, 5, "No such file or directory")


def test_a_dataset_that_is_none_cannot_be_revised(hospital: Hospital) -> None:
    assert_refused(hospital.type("dataset", "revise", "12", *listing(hospital)), 2, "64 hexadecimal digits")
    assert_refused(hospital.type("dataset", "revise", "00" * 32, *listing(hospital)), 2, "registered dataset")


def test_a_store_that_takes_nothing_stops_before_the_ledger(hospital: Hospital, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    before = hospital.ledger.head_block()
    add = ("dataset", "add", *listing(hospital), "--total-rho", "1000")
    assert_refused(hospital.type(*add, AGORA_STORE=str(tmp_path / "file")), 5, "disk")
    assert_refused(hospital.type(*add, AGORA_STORE="https://gateway.example"), 3)
    assert hospital.ledger.head_block() == before


# -------------------------------------------------------------------------------------------------------------- offers


@pytest.mark.parametrize("epsilon", ["0", "-1", "nan", "inf", "1e-12", "101"])
def test_an_epsilon_that_promises_nothing_is_invalid(hospital: Hospital, epsilon: str) -> None:
    before = hospital.ledger.head_block()
    assert_refused(hospital.type("offer", "publish", *offering(hospital), "--epsilon", epsilon), 2, "epsilon")
    assert hospital.ledger.head_block() == before


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (("--epsilon", "9"), 3, "expected a budget of"),
        (("--epsilon", "0.02"), 3, "expected a rho of at least"),
        ((), 2, "expected either --epsilon or --exact"),
        (("--epsilon", "1", "--exact"), 2, "expected either --epsilon or --exact"),
        (("--exact",), 2, "expected an authority"),
        (("--exact", "--authority", "0x" + "11" * 20, "--purpose", "4"), 3, "expected an allowance of exact orders"),
        (("--epsilon", "1", "--cost", "much"), 2, "expected an amount"),
        (("--epsilon", "1", "--bond", "-5"), 2, "expected an amount"),
        (("--epsilon", "1", "--bond", "99999999999"), 3, "covers the bond"),
        (("--epsilon", "1", "--deliver-hours", "0"), 2, "expected"),
        (("--epsilon", "1", "--licence-days", "0"), 2, "1 day or more"),
        (("--epsilon", "1", "--max-open", "0"), 2, "expected"),
        (("--epsilon", "1", "--token", "0x12"), 2, "expected"),
        (("--epsilon", "1", "--token", "0x" + "11" * 20), 2, "expected"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_before_money_moves(
    hospital: Hospital, changes: tuple[str, ...], code: int, words: str
) -> None:
    before = hospital.ledger.head_block()
    assert_refused(hospital.type("offer", "publish", *offering(hospital), *changes), code, words)
    assert hospital.ledger.head_block() == before


def test_an_offer_on_a_dataset_of_another_provider_is_refused(hospital: Hospital, world: World) -> None:
    foreign = world.dataset().hex()
    ended = hospital.type("offer", "publish", *offering(replace(hospital, dataset=foreign)), "--epsilon", "1")
    assert_refused(ended, 5)


def test_an_offer_that_is_none_cannot_be_retired(hospital: Hospital) -> None:
    assert_refused(hospital.type("offer", "retire", "xyz"), 2, "64 hexadecimal digits")
    assert_refused(hospital.type("offer", "retire", "00" * 32), 2, "published offer")
    assert_refused(hospital.type("offer", "publish", *offering(replace(hospital, dataset="x")), "--epsilon", "1"), 2)


# ------------------------------------------------------------------------------------------------------------ endpoint


def test_the_descriptor_is_put_into_the_store_and_shown(hospital: Hospital) -> None:
    given = {"AGORA_ENDPOINT": "node.example:8443"}
    shown = document(hospital.type("endpoint", "describe", "--json", **given))
    assert shown["endpoint"] == "https://node.example:8443"
    store = DirectoryStore(Path(str(hospital.connection.store)))
    data = b"".join(store.read(Cid.raw(bytes.fromhex(str(shown["descriptor"])))))
    certificate = bytes.fromhex(str(shown["certificate"]))
    assert Descriptor.decode(data) == Descriptor(hospital.signer.address, Place("node.example", 8_443), certificate)
    spoken = hospital.type("endpoint", "describe", **given)
    assert spoken.out.splitlines()[0] == "Endpoint https://node.example:8443"
    assert shown["certificate"] in spoken.out
    assert (shown["party"], "none: it takes no part" in spoken.out) == (None, True)
    meeting = given | {"AGORA_PARTY": "node.example:8444"}
    assert document(hospital.type("endpoint", "describe", "--json", **meeting))["party"] == "node.example:8444"
    rotated = hospital.type("endpoint", "rotate", "--json", **given)
    assert "Start the node again" in rotated.err
    assert document(rotated)["certificate"] != shown["certificate"]
    told = document(hospital.type("endpoint", "describe", "--json", **given))
    assert [part["step"] for part in told.pop("transactions")] == ["describe"]  # type: ignore[attr-defined]
    assert told.items() < document(rotated).items()
    assert document(hospital.type("endpoint", "describe", "--json", **given))["transactions"] == []
    newest = Follower(hospital.ledger).catch_up().providers[hospital.signer.address].descriptor
    assert newest is not None
    assert newest.certificate.hex() == told["certificate"]


def test_a_node_without_an_endpoint_has_nothing_to_describe(hospital: Hospital) -> None:
    for verb in ("describe", "rotate"):
        assert_refused(hospital.type("endpoint", verb), 2, "the setting endpoint")


# ----------------------------------------------------------------------------------------------------------------- run


def test_a_second_node_over_the_same_folder_is_refused(hospital: Hospital) -> None:
    journal = Journal(hospital.home / JOURNAL)
    assert_refused(hospital.type("run"), 3, "no other node has")
    journal.close()


def test_a_node_goes_on_when_its_ledger_goes_away(world: World, hospital: Hospital, tmp_path: Path) -> None:
    with run_anvil() as url:
        other = anvil_world(url)
        connection = Connection(url, other.ledger.domain.contract, None, str(tmp_path / "store"))
        settle_in(tmp_path / "node", connection, LocalSigner.random())
        serving = start(("run", "--json"), environment(tmp_path / "node"))
        assert serving.stderr is not None
        assert serving.stderr.readline().startswith("serving orders of")
    assert serving.stderr.readline().startswith("waiting: expected an answer from the ledger's RPC endpoint")
    serving.send_signal(signal.SIGINT)
    assert serving.communicate(timeout=300) == ("", "")
    assert serving.returncode == 0


def test_what_was_listed_stands_on_the_ledger_with_its_description_in_the_store(hospital: Hospital) -> None:
    account = Follower(connect(str(hospital.connection.rpc), hospital.ledger.domain.contract)).catch_up()
    (dataset,) = [view for view in account.datasets.values() if view.id.hex() == hospital.dataset]
    assert dataset.provider == hospital.signer.address
    assert DirectoryStore(Path(str(hospital.connection.store))).has(Cid.raw(dataset.versions[0].description))


def test_a_running_node_says_why_it_takes_no_part(capsys: pytest.CaptureFixture[str]) -> None:
    happened = Happened(
        OrderId(b"\xab" * 32), Abstain(Objection(DeclineReason.RULES, "this node asks for more parties"))
    )
    for tell in (_say, _show):
        tell(happened)
    said = capsys.readouterr()
    assert said.err == f"order {'ab' * 8}: abstain: this node asks for more parties\n"
    assert json.loads(said.out)["why"] == "this node asks for more parties"
