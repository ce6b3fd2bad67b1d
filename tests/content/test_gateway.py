import gzip
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketplace.content import Cid, put_bytes, read_bytes
from marketplace.content.directory import DirectoryStore
from marketplace.content.gateway import MAX_REDIRECTS, GatewayStore
from marketplace.content.layout import LEAF_BYTES
from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from tests.content.conftest import Daemon
from tests.content.httpserver import Answer, blocks_at, serving
from tests.content.pattern import pattern
from tests.content.shelf import place_in_directory

DATA = b"a block"
CID = Cid.of_raw(DATA)


@pytest.fixture
def opened() -> Iterator[Callable[..., GatewayStore]]:
    stores: list[GatewayStore] = []

    def open_(url: str, timeout_s: float = 30.0) -> GatewayStore:
        stores.append(GatewayStore(url, timeout_s=timeout_s))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def test_it_asks_for_raw_blocks_alone(opened: Callable[..., GatewayStore]) -> None:
    asked: list[str] = []

    def answer(path: str) -> Answer:
        asked.append(path)
        return Answer(DATA)

    with serving(answer) as url:
        assert read_bytes(opened(url), CID, limit=100) == DATA
        assert read_bytes(opened(f"{url}/some/prefix/"), CID, limit=100) == DATA
    assert asked == [f"/ipfs/{CID}?format=raw", f"/some/prefix/ipfs/{CID}?format=raw"]


def test_every_put_is_refused_and_says_what_to_use(opened: Callable[..., GatewayStore]) -> None:
    with pytest.raises(Refused, match="use a directory or an IPFS daemon"):
        put_bytes(opened("http://127.0.0.1:9"), DATA)


@pytest.mark.parametrize(
    "url", ["", "gateway.example", "ftp://gateway.example", "http://", "/ip4/1.2.3.4", "http://a:b"]
)
def test_what_is_no_url_is_invalid(url: str) -> None:
    with pytest.raises(Invalid, match="expected a gateway's URL"):
        GatewayStore(url)


class TestAGatewayThatDoesNotGiveTheBlock:
    def test_nobody_there_is_unreachable(self, opened: Callable[..., GatewayStore]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            store = opened(f"http://127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(Unreachable, match=str(CID)) as told:
                list(store.read(CID))
            with pytest.raises(Unreachable, match=str(CID)):
                store.has(CID)
        assert "127.0.0.1" not in str(told.value)

    @pytest.mark.parametrize("status", [404, 408, 410, 425, 429, 500, 502, 503, 504])
    def test_a_block_that_is_not_to_be_had_now_is_unreachable(
        self, opened: Callable[..., GatewayStore], status: int
    ) -> None:
        with serving(lambda _: Answer(b"sorry", status)) as url, pytest.raises(Unreachable, match=f"{CID}.*{status}"):
            list(opened(url).read(CID))

    @pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 406, 451])
    def test_a_gateway_that_will_not_give_it_refuses(self, opened: Callable[..., GatewayStore], status: int) -> None:
        with serving(lambda _: Answer(b"", status)) as url, pytest.raises(Refused, match=f"{CID}.*{status}"):
            list(opened(url).read(CID))

    def test_has_tells_absence_from_trouble(self, opened: Callable[..., GatewayStore]) -> None:
        with serving(lambda _: Answer(status=404)) as url:
            assert not opened(url).has(CID)
        with serving(lambda _: Answer(status=503)) as url, pytest.raises(Unreachable, match=str(CID)):
            opened(url).has(CID)

    def test_one_that_says_nothing_is_given_up(self, opened: Callable[..., GatewayStore]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            store = opened(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)
            with pytest.raises(Unreachable, match=str(CID)):
                list(store.read(CID))

    def test_one_that_drips_is_given_up(self, opened: Callable[..., GatewayStore]) -> None:
        drip = Answer(bytes(80), pause_s=0.05)
        with serving(lambda _: drip) as url, pytest.raises(Unreachable, match=f"{CID} within 2.5 s"):
            list(opened(url, timeout_s=2.5).read(CID))

    def test_one_that_stops_in_the_middle_is_unreachable(self, opened: Callable[..., GatewayStore]) -> None:
        cut = Answer(b"half", headers={"Content-Length": "8", "Connection": "close"})
        with serving(lambda _: cut) as url, pytest.raises(Unreachable, match=str(CID)):
            list(opened(url, timeout_s=1).read(CID))


class TestAGatewayThatGivesSomethingElse:
    def test_a_body_without_end_is_corrupt(self, opened: Callable[..., GatewayStore]) -> None:
        endless = Answer(bytes(8 * 2**20), headers={"Content-Length": str(2**40)})
        with serving(lambda _: endless) as url, pytest.raises(Corrupt, match=f"2097152 bytes in {CID}"):
            list(opened(url).read(CID))

    def test_a_compressed_body_is_not_unpacked(self, opened: Callable[..., GatewayStore]) -> None:
        packed = Answer(gzip.compress(DATA), headers={"Content-Encoding": "gzip"})
        with serving(lambda _: packed) as url, pytest.raises(Corrupt, match=str(CID)):
            list(opened(url).read(CID))

    def test_the_file_instead_of_the_block_is_corrupt(
        self, opened: Callable[..., GatewayStore], daemon: Daemon, kubo: DirectoryStore
    ) -> None:
        """The daemon's own gateway does not know raw blocks: it gives files, which for one leaf is the same."""
        host, port = daemon.gateway.split("/")[2::2]
        store = opened(f"http://{host}:{port}")
        short, long = put_bytes(kubo, pattern(1000)), put_bytes(kubo, pattern(LEAF_BYTES + 1000))
        assert read_bytes(store, short, limit=1000) == pattern(1000)
        with pytest.raises(Corrupt, match=str(long)):
            list(store.read(long))


class TestRedirects:
    def test_a_gateway_may_send_us_to_another(self, opened: Callable[..., GatewayStore], tmp_path: Path) -> None:
        cid = put_bytes(DirectoryStore(tmp_path), pattern(LEAF_BYTES + 1))
        with (
            serving(blocks_at(place_in_directory(tmp_path))) as other,
            serving(lambda path: Answer(status=307, headers={"Location": other + path})) as url,
        ):
            assert read_bytes(opened(url), cid, limit=LEAF_BYTES + 1) == pattern(LEAF_BYTES + 1)

    def test_but_not_for_ever(self, opened: Callable[..., GatewayStore]) -> None:
        asked: list[str] = []

        def answer(path: str) -> Answer:
            asked.append(path)
            return Answer(status=302, headers={"Location": path})

        with serving(answer) as url, pytest.raises(Unreachable, match=str(CID)):
            list(opened(url).read(CID))
        assert len(asked) == MAX_REDIRECTS + 1

    @pytest.mark.parametrize("target", ["file:///etc/hostname", "http://[x", "ftp://127.0.0.1/x", "http://../x"])
    def test_and_not_out_of_the_web(self, opened: Callable[..., GatewayStore], target: str) -> None:
        away = Answer(status=302, headers={"Location": target})
        with serving(lambda _: away) as url, pytest.raises(Unreachable, match=str(CID)):
            list(opened(url).read(CID))
