"""Settings: one TOML file, overridden by the environment, made into a frozen value."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.settings import Connection, read_connection, write_connection

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
WHOLES = st.integers(0, 10**19)
CONNECTIONS = st.builds(
    Connection,
    rpc=TEXTS,
    contract=TEXTS,
    chain_id=st.none() | WHOLES,
    store=TEXTS,
    confirmations=WHOLES,
    from_block=WHOLES,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "agora.toml"


@given(CONNECTIONS)
def test_what_is_written_is_read_back(file: Path, connection: Connection) -> None:
    file.write_bytes(write_connection(connection).encode())
    assert read_connection(file, {}) == connection


def test_without_a_file_there_are_only_defaults(tmp_path: Path) -> None:
    assert read_connection(tmp_path / "none.toml", {}) == Connection()


def test_the_environment_comes_before_the_file(file: Path) -> None:
    file.write_text('rpc = "http://file"\nstore = "blocks"\nchain_id = 5\n')
    environment = {"AGORA_RPC": "http://environment", "AGORA_CHAIN_ID": "7", "AGORA_CONFIRMATIONS": "2"}
    connection = read_connection(file, environment)
    assert connection == Connection(rpc="http://environment", store="blocks", chain_id=7, confirmations=2)


def test_an_unknown_name_is_invalid_and_its_value_is_not_shown(file: Path) -> None:
    file.write_text('passphrase = "hunter2"\nrcp = "http://x"\n')
    with pytest.raises(Invalid, match=r"got passphrase, rcp; remove them") as raised:
        read_connection(file, {})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rpc = 5", "rpc"),
        ("store = true", "store"),
        ("contract = ['0x']", "contract"),
        ("chain_id = -1", "chain_id"),
        ("chain_id = 1.0", "chain_id"),
        ("confirmations = false", "confirmations"),
        ("from_block = 1979-05-27", "from_block"),
        ("from_block = 999999999999999999999", "from_block"),
    ],
)
def test_a_value_of_the_wrong_kind_is_invalid_and_named(file: Path, text: str, name: str) -> None:
    file.write_text(text)
    with pytest.raises(Invalid, match=f"the setting {name}"):
        read_connection(file, {})


@pytest.mark.parametrize("data", [b"\xff", b"rpc", b"rpc = 'a\nb'", b"x = " + b"[" * 3_000, b"n = " + b"9" * 5_000])
def test_a_file_that_is_no_toml_is_invalid_and_named(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with pytest.raises(Invalid, match="in TOML in agora"):
        read_connection(file, {})


def test_a_folder_in_the_files_place_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="mend the file"):
        read_connection(tmp_path, {})


def test_whole_numbers_may_be_written_as_text(file: Path) -> None:
    file.write_text('chain_id = "31337"\n')
    assert read_connection(file, {}).chain_id == 31_337
