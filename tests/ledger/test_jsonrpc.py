"""RPC endpoints that are down, wrong, slow, or answer nonsense: each is told in one line and sorted by what to do."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.ledger.chain import Revert
from marketplace.ledger.deployment import deploy
from marketplace.ledger.jsonrpc import JsonRpcChain, connect
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import NOBODY
from tests.ledger.fixtures import run_anvil, tell_anvil
from tests.ledger.world import RICHES_UNITS, anvil_world

SECRET = "s3cret-api-key"
Answer = Callable[[Any], tuple[int, bytes]]


@contextmanager
def endpoint(answer: Answer) -> Iterator[str]:
    """An HTTP server that gives `answer` to what it is asked. Its URL holds a secret."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{SECRET}"
    finally:
        server.shutdown()
        server.server_close()


def saying(**answers: Any) -> Answer:
    """Answers each method with its result, or with its error where that is a dict with a `code`."""

    def answer(question: Any) -> tuple[int, bytes]:
        if isinstance(question, list):
            return 200, json.dumps([reply(one) for one in question]).encode()
        return 200, json.dumps(reply(question)).encode()

    def reply(question: Any) -> dict[str, Any]:
        found = {"eth_chainId": "0x7", **answers}[question["method"]]
        key = "error" if isinstance(found, dict) and "code" in found else "result"
        return {"jsonrpc": "2.0", "id": question["id"], key: found}

    return answer


def refusal_of(url: str) -> MarketplaceError:
    with pytest.raises(MarketplaceError) as caught:
        JsonRpcChain(url, timeout_s=60)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


class TestAnEndpointThatDoesNotServe:
    def test_nobody_there_is_unreachable(self) -> None:
        error = refusal_of(f"http://127.0.0.1:1/{SECRET}")
        assert type(error) is Unreachable
        assert "check that it runs" in str(error)

    def test_an_unknown_host_is_unreachable(self) -> None:
        assert type(refusal_of(f"http://no-such-host.invalid/{SECRET}")) is Unreachable

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_a_busy_or_broken_server_is_unreachable(self, status: int) -> None:
        with endpoint(lambda _: (status, b"no")) as url:
            error = refusal_of(url)
        assert type(error) is Unreachable
        assert str(status) in str(error)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
    def test_a_server_that_does_not_let_us_in_is_refused(self, status: int) -> None:
        with endpoint(lambda _: (status, b"no")) as url:
            assert type(refusal_of(url)) is Refused

    @pytest.mark.parametrize(
        "body", [b"", b"<html>hello</html>", b"\xff\xfe", b"{", b"3", b"[]", b"{}", b'{"error": 3}']
    )
    def test_a_server_that_does_not_speak_json_rpc_is_corrupt(self, body: bytes) -> None:
        with endpoint(lambda _: (200, body)) as url:
            assert type(refusal_of(url)) is Corrupt

    @pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "http://"])
    def test_what_is_no_url_is_invalid(self, url: str) -> None:
        with pytest.raises(Invalid, match="URL"):
            JsonRpcChain(url)

    @pytest.mark.parametrize("chain_id", [None, 7, "seven", {}, []])
    def test_an_answer_of_another_kind_is_corrupt(self, chain_id: Any) -> None:
        with endpoint(saying(eth_chainId=chain_id)) as url:
            assert type(refusal_of(url)) is Corrupt

    @pytest.mark.parametrize("code", [None, 7, "60", "0x6", "0xzz"])
    def test_code_of_another_kind_is_corrupt(self, code: Any) -> None:
        with endpoint(saying(eth_getCode=code)) as url, pytest.raises(Corrupt):
            JsonRpcChain(url).code(NOBODY)

    def test_a_node_that_stops_is_unreachable_from_then_on(self) -> None:
        with run_anvil() as url:
            chain = JsonRpcChain(url)
            assert chain.head().number == 0
        with pytest.raises(Unreachable):
            chain.head()


class TestAnotherChainOrContract:
    def test_another_chain_is_refused_and_both_are_named(self, anvil_url: str) -> None:
        with pytest.raises(Refused, match=r"id 1,.*id 31337"):
            JsonRpcChain(anvil_url, expected_chain_id=1)

    def test_another_contract_is_refused(self, anvil_url: str) -> None:
        world = anvil_world(anvil_url)
        with pytest.raises(Refused, match="another contract"):
            connect(anvil_url, world.token)
        with pytest.raises(Refused, match="without code"):
            connect(anvil_url, world.buyer.address)

    def test_the_right_one_is_connected_to(self, anvil_url: str) -> None:
        world = anvil_world(anvil_url)
        again = connect(anvil_url, world.ledger.domain.contract, expected_chain_id=31_337)
        assert again.domain == world.ledger.domain
        assert again.balance_units(world.token, world.stranger.address) == RICHES_UNITS


class TestWhatANodeSays:
    @pytest.mark.parametrize(
        "error",
        [
            {"code": 3, "message": "execution reverted", "data": "0x1234"},
            {"code": -32000, "message": "Execution reverted", "data": "0x1234"},
        ],
    )
    def test_a_reason_is_found_wherever_nodes_put_it(self, error: dict[str, Any]) -> None:
        with endpoint(saying(eth_call=error)) as url, pytest.raises(Revert) as caught:
            JsonRpcChain(url).call(NOBODY, b"")
        assert caught.value.data == b"\x12\x34"

    def test_a_revert_without_a_reason_is_one(self) -> None:
        with endpoint(saying(eth_call={"code": -32000, "message": "execution reverted"})) as url:
            with pytest.raises(Revert) as caught:
                JsonRpcChain(url).call(NOBODY, b"")
            assert caught.value.data == b""

    def test_any_other_refusal_is_quoted_in_one_short_line(self) -> None:
        error = {"code": -32000, "message": "no\nfunds " + "x" * 1_000}
        with endpoint(saying(eth_call=error)) as url, pytest.raises(Refused, match="no funds xxx") as caught:
            JsonRpcChain(url).call(NOBODY, b"")
        assert len(str(caught.value)) < 400

    def test_block_times_are_asked_for_where_entries_do_not_carry_them(self) -> None:
        entry = {
            "address": NOBODY,
            "blockNumber": "0x5",
            "logIndex": "0x1",
            "transactionHash": "0x" + "11" * 32,
            "topics": ["0x" + "22" * 32],
            "data": "0x33",
        }
        block = {"number": "0x5", "hash": "0x" + "44" * 32, "timestamp": "0x99"}
        with endpoint(saying(eth_getLogs=[entry, entry], eth_getBlockByNumber=block)) as url:
            logs = JsonRpcChain(url).logs([NOBODY], 0, 9)
        assert [log.position.at_s for log in logs] == [0x99, 0x99]

    def test_a_node_that_takes_no_batches_is_asked_one_by_one(self) -> None:
        place = {"address": NOBODY, "blockNumber": "0x5", "logIndex": "0x1", "transactionHash": "0x"}
        entry = {**place, "topics": [], "data": "0x"}
        block = {"number": "0x5", "hash": "0x" + "44" * 32, "timestamp": "0x99"}

        def answer(question: Any) -> tuple[int, bytes]:
            if isinstance(question, list):
                return 200, json.dumps({"jsonrpc": "2.0", "id": None, "error": {"message": "no batches"}}).encode()
            return saying(eth_getLogs=[entry], eth_getBlockByNumber=block)(question)

        with endpoint(answer) as url:
            (log,) = JsonRpcChain(url).logs([NOBODY], 0, 9)
        assert log.position.at_s == 0x99


class TestATransactionThatWaits:
    def test_it_is_unreachable_until_mined_and_then_found_by_its_hash(self) -> None:
        with run_anvil() as url:
            world = anvil_world(url)
            tell_anvil(url, "evm_setAutomine", False)
            hasty = connect(url, world.ledger.domain.contract, wait_s=0.2)
            prepared = hasty.prepare(world.provider, hasty.calls.stake(world.token, 1))
            credit = world.ledger.credit_units(world.token, world.provider.address)
            for _ in range(2):
                with pytest.raises(Unreachable, match="ask for it again by its hash"):
                    hasty.send(prepared)
                assert hasty.receipt(prepared.hash) is None
            tell_anvil(url, "evm_mine")
            assert hasty.send(prepared) == hasty.receipt(prepared.hash)
            assert hasty.credit_units(world.token, world.provider.address) == credit + 1

    def test_the_next_one_is_numbered_behind_it(self) -> None:
        with run_anvil() as url:
            world = anvil_world(url)
            tell_anvil(url, "evm_setAutomine", False)
            hasty = connect(url, world.ledger.domain.contract, wait_s=0.1)
            first = hasty.prepare(world.provider, hasty.calls.stake(world.token, 1))
            with pytest.raises(Unreachable):
                hasty.send(first)
            second = hasty.prepare(world.provider, hasty.calls.stake(world.token, 2))
            with pytest.raises(Unreachable):
                hasty.send(second)
            tell_anvil(url, "evm_mine")
            assert hasty.receipt(first.hash)
            assert hasty.receipt(second.hash)


def test_deploying_on_a_chain_with_another_number_binds_ids_to_it() -> None:
    with run_anvil("--chain-id", "77") as url:
        signer = LocalSigner.random()
        tell_anvil(url, "anvil_setBalance", signer.address, hex(10**20))
        deployed = deploy(JsonRpcChain(url, expected_chain_id=77), signer)
        assert connect(url, deployed.marketplace).domain.chain_id == 77
