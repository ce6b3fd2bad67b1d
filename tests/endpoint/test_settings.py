"""Where the endpoint is, from node.toml and the environment."""

from pathlib import Path

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.descriptor import Place
from marketplace.settings import Connection, read_connection, write_connection
from node.endpoint.settings import NAMES, EndpointSettings, endpoint_settings, read_endpoint

PUBLIC, LISTEN = Place("node.example", 8_443), Place("0.0.0.0", 9_443)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "node.toml"


@pytest.mark.parametrize("settings", [EndpointSettings(PUBLIC, LISTEN), EndpointSettings(PUBLIC, PUBLIC)])
def test_what_is_written_beside_a_connection_is_read_back(file: Path, settings: EndpointSettings) -> None:
    connection = Connection("http://127.0.0.1:8545", "0x" + "11" * 20, None, "store")
    file.write_text(write_connection(connection) + settings.write())
    assert read_endpoint(file, {}) == settings
    assert read_connection(file, {}, NAMES) == connection


def test_without_the_setting_there_is_no_endpoint(file: Path) -> None:
    assert read_endpoint(file, {}) is None
    file.write_text('rpc = "http://127.0.0.1:8545"\n')
    assert read_endpoint(file, {}) is None


def test_it_listens_where_others_find_it_if_nothing_else_is_said(file: Path) -> None:
    file.write_text('endpoint = "node.example:8443"\n')
    assert read_endpoint(file, {}) == EndpointSettings(PUBLIC, PUBLIC)


def test_the_environment_comes_before_the_file(file: Path) -> None:
    file.write_text('endpoint = "node.example:8443"\nlisten = "127.0.0.1:1"\n')
    found = read_endpoint(file, {"AGORA_ENDPOINT": "[::1]:7", "AGORA_LISTEN": "0.0.0.0:9443"})
    assert found == EndpointSettings(Place("::1", 7), LISTEN)


@pytest.mark.parametrize("text", ["", "node.example", "https://node.example:1", "node.example:0", "node.example:hush"])
def test_a_text_that_is_no_place_is_invalid_and_not_shown(text: str) -> None:
    for given in ((text, None), ("node.example:1", text)):
        with pytest.raises(Invalid) as caught:
            endpoint_settings(*given)
        assert "hush" not in str(caught.value)


def test_a_place_to_listen_alone_is_invalid() -> None:
    with pytest.raises(Invalid, match="the setting endpoint beside listen"):
        endpoint_settings(None, "0.0.0.0:1")


def test_a_setting_of_another_kind_is_invalid(file: Path) -> None:
    file.write_text("endpoint = 8443\n")
    with pytest.raises(Invalid, match="text for the setting endpoint"):
        read_endpoint(file, {})


def test_a_buyers_settings_know_no_endpoint(file: Path) -> None:
    file.write_text('endpoint = "node.example:8443"\n')
    with pytest.raises(Invalid, match="got endpoint; remove them"):
        read_connection(file, {})
