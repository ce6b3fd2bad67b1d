"""Settings that cannot be used, ledgers and stores that are not there: one line and an exit code."""

import pytest

from marketplace.commands.session import SETTINGS
from tests.commands.market import Buyer

SECRET_URL = "http://user:hunter2@127.0.0.1:1/v3/secret-key"


def test_a_ledger_that_is_down_is_unreachable_and_its_url_is_not_shown(buyer: Buyer) -> None:
    for command in (["offers"], ["order", "ab" * 32], ["buy", "ab" * 32, "--yes"], ["audit", "--rpc", SECRET_URL]):
        ran = buyer.agora(*command, AGORA_RPC=SECRET_URL, AGORA_CONTRACT=str(buyer.market.connection.contract))
        assert ran.code == 5, ran.err
        assert "RPC endpoint" in ran.error()
        assert "hunter2" not in ran.err
        assert "secret-key" not in ran.err


def test_another_chain_is_refused_and_named(buyer: Buyer) -> None:
    ran = buyer.agora("offers", AGORA_CHAIN_ID="1")
    assert ran.code == 3
    assert "chain with id 1, got the one with id 31337" in ran.error()


def test_another_contract_is_refused(buyer: Buyer) -> None:
    ran = buyer.agora("offers", AGORA_CONTRACT=buyer.market.token)
    assert ran.code == 3
    assert "got another contract" in ran.error()


def test_an_address_without_contract_is_refused(buyer: Buyer) -> None:
    ran = buyer.agora("audit", "--rpc", buyer.market.url, "--contract", buyer.signer.address)
    assert ran.code == 3
    assert "without code" in ran.error()


@pytest.mark.parametrize("address", ["", "0x12", "nonsense", "0x" + "g" * 40])
def test_an_address_that_is_none_is_invalid(buyer: Buyer, address: str) -> None:
    ran = buyer.agora("offers", AGORA_CONTRACT=address)
    assert ran.code == 2
    assert ran.error()


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://"])
def test_a_url_that_is_none_is_no_traceback(buyer: Buyer, url: str) -> None:
    ran = buyer.agora("offers", AGORA_RPC=url)
    assert ran.code in (2, 5)
    assert ran.error()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rpc = ", "settings in TOML"),
        ("rpc = 1", "text for the setting rpc"),
        ("[rpc]\nx = 1", "text for the setting rpc"),
        ('password = "hunter2"', "known settings in agora.toml, got password"),
        ('chain_id = "one"', "whole number of 0 or more for the setting chain_id"),
        ("confirmations = -1", "whole number of 0 or more for the setting confirmations"),
        ("from_block = 1.5", "whole number of 0 or more for the setting from_block"),
        ("confirmations = true", "whole number of 0 or more for the setting confirmations"),
        ("from_block = " + "9" * 5_000, "settings"),
        ("x = " + "[" * 5_000, "settings"),
        ("\x00", "settings in TOML"),
    ],
)
def test_settings_that_cannot_be_read_are_invalid_and_values_are_not_shown(buyer: Buyer, text: str, words: str) -> None:
    (buyer.home / SETTINGS).write_text(text)
    ran = buyer.agora("offers")
    assert ran.code == 2
    assert words in ran.error()
    assert "hunter2" not in ran.err


def test_settings_that_are_not_there_are_named(buyer: Buyer) -> None:
    (buyer.home / SETTINGS).unlink()
    nothing = buyer.agora("offers")
    assert nothing.code == 2
    assert "rpc and contract" in nothing.error()
    connection = buyer.market.connection
    assert connection.rpc
    assert connection.contract
    no_store = buyer.agora("offers", AGORA_RPC=connection.rpc, AGORA_CONTRACT=connection.contract)
    assert no_store.code == 2
    assert "setting store" in no_store.error()


@pytest.mark.parametrize("name", ["CHAIN_ID", "CONFIRMATIONS", "FROM_BLOCK"])
def test_numbers_of_the_environment_that_are_none_are_invalid(buyer: Buyer, name: str) -> None:
    for text in ("", "one", "-1", "1.5", "٣"):
        ran = buyer.agora("offers", **{f"AGORA_{name}": text})
        assert ran.code == 2
        assert f"the setting {name.lower()}" in ran.error()


def test_a_store_that_is_none_is_invalid(buyer: Buyer) -> None:
    for store in ("", "ftp://somewhere", "~nobody-of-this-name/store"):
        ran = buyer.agora("offers", AGORA_STORE=store)
        assert ran.code == 2
        assert "content store" in ran.error()


def test_a_store_without_the_documents_is_unreachable(buyer: Buyer) -> None:
    ran = buyer.agora("offers", AGORA_STORE=str(buyer.home / "another"))
    assert ran.code == 5
    assert ran.error()


def test_a_home_that_is_none_is_invalid(buyer: Buyer) -> None:
    ran = buyer.agora("offers", AGORA_HOME="~nobody-of-this-name")
    assert ran.code == 2
    assert "AGORA_HOME" in ran.error()


def test_a_home_that_is_a_file_is_no_traceback(buyer: Buyer) -> None:
    (buyer.home / "file").write_text("in the way")
    ran = buyer.agora("keys", "create", AGORA_HOME=str(buyer.home / "file"))
    assert ran.code in (2, 3, 5)
    assert ran.err.startswith("error: ")


def test_confirmations_are_waited_for(buyer: Buyer) -> None:
    order = buyer.place()
    assert buyer.agora("order", order.hex(), AGORA_CONFIRMATIONS="1").code == 2
    buyer.market.pass_time(1)
    assert buyer.agora("order", order.hex(), AGORA_CONFIRMATIONS="1").code == 0
