"""`agora verify` and `agora audit`."""

import json
from pathlib import Path

import pytest

from marketplace.certificate.folder import MANIFEST
from marketplace.protocol import result
from tests.commands.market import Buyer, build


@pytest.fixture
def folder(buyer: Buyer, tmp_path: Path) -> Path:
    """An opened result."""
    buyer.client().open(buyer.reveal(), tmp_path / "result")
    return tmp_path / "result"


def ledger_options(buyer: Buyer) -> tuple[str, ...]:
    return ("--rpc", buyer.market.url, "--contract", buyer.market.ledger.domain.contract)


def test_verify_offline_says_who_signed_and_that_no_ledger_was_asked(buyer: Buyer, folder: Path) -> None:
    ran = buyer.agora("verify", str(folder))
    assert ran.code == 0
    signer = buyer.market.provider.signer.address
    assert ran.out.splitlines()[-1] == f"signed by {signer}, not checked against a ledger"
    assert ran.out.count("  holds  ") == 12


def test_verify_offline_asks_nobody_whatever_the_settings_say(buyer: Buyer, folder: Path) -> None:
    nobody = {"AGORA_RPC": "http://127.0.0.1:1", "AGORA_CONTRACT": "nonsense", "AGORA_STORE": "/nowhere"}
    shown = buyer.agora("verify", str(folder), "--json", **nobody).json()
    assert shown["passed"] is True
    assert [check["number"] for check in shown["checks"]] == list(range(1, 13))
    assert all(set(check) == {"number", "sentence", "passed", "evidence"} for check in shown["checks"])


def test_verify_against_the_ledger_makes_two_more_checks(buyer: Buyer, folder: Path) -> None:
    shown = buyer.agora("verify", str(folder), *ledger_options(buyer), "--json").json()
    assert len(shown["checks"]) == 14
    assert shown["signed"].endswith(", checked against the ledger")


def test_verify_of_an_altered_table_fails_and_names_the_check(buyer: Buyer, folder: Path) -> None:
    table = folder / result.TABLE
    table.write_text(table.read_text().replace("female", "male", 1))
    ran = buyer.agora("verify", str(folder), "--json")
    assert ran.code == 4
    assert "failed: check 5" in ran.error()
    shown = json.loads(ran.out)
    assert shown["passed"] is False
    assert next(check["number"] for check in shown["checks"] if check["passed"] is False) == 5
    assert "FAILS" in buyer.agora("verify", str(folder)).out


def test_verify_needs_a_result(buyer: Buyer, folder: Path, tmp_path: Path) -> None:
    nothing = buyer.agora("verify", str(tmp_path / "nothing"))
    assert nothing.code == 2
    assert "found none at 'nothing'" in nothing.error()
    (folder / MANIFEST).unlink()
    part = buyer.agora("verify", str(folder))
    assert part.code == 2
    assert MANIFEST in part.error()


@pytest.mark.parametrize("option", ["--rpc", "--contract"])
def test_verify_takes_rpc_and_contract_together(buyer: Buyer, folder: Path, option: str) -> None:
    ran = buyer.agora("verify", str(folder), option, "http://127.0.0.1:1")
    assert ran.code == 2
    assert "--rpc and --contract together" in ran.error()


def test_verify_against_a_ledger_without_the_order_fails(buyer: Buyer, folder: Path) -> None:
    block = str(buyer.market.ledger.head_block() + 1)
    ran = buyer.agora("verify", str(folder), *ledger_options(buyer), "--from-block", block)
    assert ran.code == 4
    assert "failed: check 13, 14" in ran.error()


# ------------------------------------------------------------------------------------------------------------ auditing


def test_audit_needs_nothing_but_the_chain(buyer: Buyer, tmp_path: Path) -> None:
    buyer.client().settle(buyer.reveal())
    empty = tmp_path / "nobody"
    empty.mkdir()
    shown = buyer.agora("audit", *ledger_options(buyer), "--json", AGORA_HOME=str(empty)).json()
    assert shown["passed"] is True
    assert [check["number"] for check in shown["checks"]] == list(range(1, 24))
    assert [check["number"] for check in shown["checks"] if check["passed"] is None] == [11, 12, 14]
    assert list(empty.iterdir()) == []


def test_audit_with_the_store_makes_every_check(anvil_url: str, tmp_path: Path) -> None:
    market = build(anvil_url, tmp_path / "market")
    buyer = market.buyer(tmp_path / "home")
    buyer.client().settle(buyer.reveal())
    options = (*ledger_options(buyer), "--store", str(market.folder / "store"))
    shown = buyer.agora("audit", *options, "--json").json()
    assert shown["passed"] is True
    assert all(check["passed"] is True for check in shown["checks"])
    for path in (market.folder / "store").rglob("bafkrei*"):
        path.write_bytes(path.read_bytes() + b" ")
    altered = buyer.agora("audit", *options, "--json")
    assert altered.code == 4
    assert "check 11" in altered.error()


def test_audit_for_people_shows_every_sentence_and_ends_well(buyer: Buyer) -> None:
    ran = buyer.agora("audit", *ledger_options(buyer))
    assert ran.code == 0
    assert ran.err.splitlines()[-1] == "passed"
    assert ran.out.count("  holds     ") == 20
    assert ran.out.count("  not made  ") == 3
    assert max(len(line.rstrip()) for line in ran.out.splitlines()) <= 100


def test_audit_without_a_ledger_is_invalid(buyer: Buyer) -> None:
    ran = buyer.agora("audit")
    assert ran.code == 2
    assert "expected --rpc and --contract" in ran.error()


def test_audit_takes_its_options_from_the_environment_too(buyer: Buyer) -> None:
    connection = buyer.market.connection
    assert connection.rpc
    assert connection.contract
    shown = buyer.agora("audit", "--json", AGORA_RPC=connection.rpc, AGORA_CONTRACT=connection.contract).json()
    assert shown["passed"] is True


def test_audit_from_a_block_after_the_beginning_is_corrupt(buyer: Buyer) -> None:
    order = buyer.place()
    block = buyer.market.ledger.head_block()
    assert order
    ran = buyer.agora("audit", *ledger_options(buyer), "--from-block", str(block))
    assert ran.code == 4
    assert "from its first block on" in ran.error()


def test_audit_from_a_block_below_zero_is_a_matter_of_usage(buyer: Buyer) -> None:
    assert buyer.agora("audit", *ledger_options(buyer), "--from-block", "-1").code == 2
