"""Which store an address means."""

from pathlib import Path

import pytest

from marketplace.content.address import open_store
from marketplace.content.directory import DirectoryStore
from marketplace.content.gateway import GatewayStore
from marketplace.content.kubo import KuboStore
from marketplace.content.store import put_bytes, read_bytes
from marketplace.errors import Invalid


@pytest.mark.parametrize("address", ["/ip4/127.0.0.1/tcp/5001", "/dns/localhost/tcp/5001", "/ip6/::1/tcp/5001"])
def test_a_multiaddress_is_a_daemon(address: str) -> None:
    assert isinstance(open_store(address), KuboStore)


@pytest.mark.parametrize("address", ["https://gateway.example", "http://127.0.0.1:8080/"])
def test_a_url_is_a_gateway(address: str) -> None:
    assert isinstance(open_store(address), GatewayStore)


def test_anything_else_is_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for address in ("blocks", str(tmp_path / "blocks"), "./blocks"):
        store = open_store(address)
        assert isinstance(store, DirectoryStore)
        cid = put_bytes(store, b"something")
        assert read_bytes(open_store(str(tmp_path / "blocks")), cid, 100) == b"something"


def test_a_tilde_is_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put_bytes(open_store("~/blocks"), b"something")
    assert (tmp_path / "blocks").is_dir()


@pytest.mark.parametrize(
    "address",
    [
        "", " ", "ftp://somewhere", "ipfs://bafy", "https://", "/ip4/nonsense", "blocks\n", "a\0b",
        "~nobody-of-this-name/blocks",
    ],
)  # fmt: skip
def test_an_address_that_means_nothing_is_invalid_and_is_not_shown(address: str) -> None:
    with pytest.raises(Invalid, match="expected") as raised:
        open_store(address)
    assert "nobody-of-this-name" not in str(raised.value)


def test_opening_asks_nobody_and_makes_nothing(tmp_path: Path) -> None:
    open_store(str(tmp_path / "blocks"))
    open_store("/ip4/127.0.0.1/tcp/1")
    open_store("http://127.0.0.1:1")
    assert list(tmp_path.iterdir()) == []
