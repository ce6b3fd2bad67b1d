"""The endpoint's HTTPS, from outside: what it answers, what it refuses, and that nobody can hold it up."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from node.endpoint import server
from node.endpoint.limits import Limits
from node.endpoint.server import Endpoint
from node.endpoint.tls import tls_file
from tests.endpoint.wire import HOST, STORAGE_KEY, Wire, is_cut, read_all, wired

SECRET = "hush-hush"
FAILURES = {"invalid": Invalid, "refused": Refused, "corrupt": Corrupt, "unreachable": Unreachable}
STATUSES = {"invalid": 422, "refused": 409, "corrupt": 502, "unreachable": 503}


def failing(kind: type[MarketplaceError]):  # type: ignore[no-untyped-def]
    def verb(_: bytes) -> bytes:
        raise kind("expected this, got that; do so")

    return verb


def faulty(_: bytes) -> bytes:
    raise ZeroDivisionError(SECRET)


VERBS = {
    "echo": lambda body: body.upper(),
    "faulty": faulty,
    **{name: failing(kind) for name, kind in FAILURES.items()},
}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """An endpoint with the limits of the product."""
    with wired(tmp_path_factory.mktemp("node"), VERBS) as wire:
        yield wire


# ---------------------------------------------------------------------------------------------------------- one request


def test_a_verb_gets_the_body_and_its_answer_comes_back(wire: Wire) -> None:
    reply = wire.post("/echo", b'{"a": 1}')
    assert (reply.status, reply.body) == (200, b'{"A": 1}')
    assert b"\r\nContent-Type: application/json\r\n" in reply.head
    assert b"\r\nCache-Control: no-store\r\n" in reply.head


def test_a_request_may_come_in_pieces(wire: Wire) -> None:
    reply = wire.say(b"POST /ec", b"ho HTTP/1.1\r\nContent-", b"Length: 4\r\n\r\na", b"bcd")
    assert (reply.status, reply.body) == (200, b"ABCD")


def test_a_connection_brings_one_request(wire: Wire) -> None:
    one = b"POST /echo HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"
    reply = wire.say(one + one)
    assert reply.raw.count(b"HTTP/1.1 200") == 1
    assert reply.body == b"A"


@pytest.mark.parametrize("name", FAILURES)
def test_each_kind_of_error_has_its_status_and_says_what_to_do(wire: Wire, name: str) -> None:
    reply = wire.post(f"/{name}", b"{}")
    assert reply.status == STATUSES[name]
    failure = reply.failure()
    assert (failure["error"], failure["message"]) == (FAILURES[name].__name__, "expected this, got that; do so")


def test_a_fault_of_ours_says_nothing_to_strangers_and_its_kind_to_the_provider(tmp_path: Path) -> None:
    with wired(tmp_path, VERBS) as wire:
        reply = wire.post("/faulty", b"{}")
        assert reply.status == 503
        assert reply.failure()["error"] == "Unreachable"
        assert SECRET.encode() not in reply.raw
        assert b"ZeroDivision" not in reply.raw
        assert wire.notes == ["expected an answer to /faulty, got a fault: ZeroDivisionError"]
        assert wire.post("/echo", b"a").body == b"A"


def test_nothing_tells_what_the_node_runs_on(wire: Wire) -> None:
    for reply in (wire.post("/echo", b"a"), wire.say(b"GET / HTTP/1.1\r\n\r\n")):
        assert b"Python" not in reply.raw
        assert b"BaseHTTP" not in reply.raw
        assert b"\r\nServer: agora-node" in reply.head


# ------------------------------------------------------------------------------------------------------ no request at all

LENGTH = b"Content-Length: 1\r\n"
BROKEN = {
    "no such verb": (b"POST /other HTTP/1.1\r\n" + LENGTH + b"\r\na", 404),
    "no verb": (b"POST / HTTP/1.1\r\n" + LENGTH + b"\r\na", 404),
    "a verb without its slash": (b"POST echo HTTP/1.1\r\n" + LENGTH + b"\r\na", 404),
    "a verb and more": (b"POST /echo?x=1 HTTP/1.1\r\n" + LENGTH + b"\r\na", 404),
    "another method": (b"GET /echo HTTP/1.1\r\n\r\n", 405),
    "an unknown method": (b"BREW /echo HTTP/1.1\r\n\r\n", 405),
    "no length": (b"POST /echo HTTP/1.1\r\n\r\n", 411),
    "two lengths": (b"POST /echo HTTP/1.1\r\n" + 2 * LENGTH + b"\r\na", 411),
    "chunked": (b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + LENGTH + b"\r\n1\r\na\r\n0\r\n\r\n", 411),
    "a length that is none": (b"POST /echo HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400),
    "a negative length": (b"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\na", 400),
    "a length in other digits": ("POST /echo HTTP/1.1\r\nContent-Length: ١\r\n\r\na".encode(), 400),
    "a length of many digits": (b"POST /echo HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\na", 400),
    "a body that is too long": (b"POST /echo HTTP/1.1\r\nContent-Length: 8193\r\n\r\n", 413),
    "a first line that is none": (b"\x00\x01\x02 \x03\r\n\r\n", 400),
    "another protocol": (b"POST /echo HTTP/3.0\r\n\r\n", 400),
    "a header that is too long": (b"POST /echo HTTP/1.1\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431),
    "too many headers": (b"POST /echo HTTP/1.1\r\n" + b"A: b\r\n" * 1_500 + b"\r\n", 431),
    "a first line that is too long": (b"POST /" + b"a" * 9_000, 431),
}


@pytest.mark.parametrize(("said", "status"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_gets_a_reason_and_the_end(wire: Wire, said: bytes, status: int) -> None:
    reply = wire.say(said)
    assert reply.status == status
    failure = reply.failure()
    assert failure["error"] == "Invalid"
    assert failure["message"].startswith("expected POST /echo or POST /faulty")
    assert "\x00" not in failure["message"]


def test_a_body_at_the_limit_is_answered(wire: Wire) -> None:
    assert wire.post("/echo", b"a" * 8_192).body == b"A" * 8_192


def test_who_sends_too_much_still_gets_the_reason(wire: Wire) -> None:
    for _ in range(10):
        reply = wire.say(b"POST /echo HTTP/1.1\r\nContent-Length: 40000\r\n\r\n" + b"a" * 40_000)
        assert (reply.status, reply.failure()["error"]) == (413, "Invalid")


def test_a_body_that_ends_early_is_given_to_no_verb(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def keep(body: bytes) -> bytes:
        seen.append(body)
        return body

    with wired(tmp_path, {"keep": keep}) as wire:
        with wire.secure() as connection:
            connection.sendall(b"POST /keep HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc")
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)
        assert wire.post("/keep", b"whole").status == 200
    assert seen == [b"whole"]


def test_who_speaks_no_tls_learns_nothing(wire: Wire) -> None:
    with wire.connect() as plain:
        plain.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\na")
        answer = read_all(plain)
    assert b"HTTP" not in answer
    assert len(answer) < 10  # at most an alert of TLS


def test_older_tls_than_1_3_is_refused(wire: Wire) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError), wire.connect() as plain:
        context.wrap_socket(plain)
    with wire.secure() as connection:
        assert connection.version() == "TLSv1.3"


# ---------------------------------------------------------------------------------------------------------------- floods

HASTY = Limits(connections=4, connections_of_one_peer=3, request_s=4.0)
"""Soon out of patience, and not so soon that a handshake on a busy machine is cut off."""

SOON_S = 60.0


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Wire]:
    """An endpoint that is soon out of patience, with places for four."""
    with wired(tmp_path, VERBS, HASTY) as wire:
        yield wire


def test_who_says_nothing_is_cut_off(hasty: Wire) -> None:
    with hasty.connect() as silent:
        silent.settimeout(SOON_S)
        assert is_cut(silent)
    with hasty.secure() as silent:
        silent.settimeout(SOON_S)
        assert is_cut(silent)


@pytest.mark.parametrize(
    "said", [b"POST /echo HTTP/1.1\r\nA: b\r\n", b"POST /echo HTTP/1.1\r\nContent-Length: 99\r\n\r\n"]
)
def test_who_goes_on_a_byte_at_a_time_is_cut_off_in_the_same_time(hasty: Wire, said: bytes) -> None:
    began = time.monotonic()
    with hasty.secure() as connection:
        connection.sendall(said)
        connection.settimeout(0.1)
        cut = False
        while not cut:
            assert time.monotonic() - began < SOON_S
            try:
                connection.sendall(b"x")
                cut = connection.recv(1) == b""
            except TimeoutError:
                continue
            except (ConnectionError, ssl.SSLError):
                cut = True
    assert time.monotonic() - began > HASTY.request_s - 1


def test_an_answer_that_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    told = threading.Event()

    def slow(body: bytes) -> bytes:
        told.wait(SOON_S)
        return body

    with wired(tmp_path, {"slow": slow}, Limits(answer_s=0.2)) as wire:
        assert wire.post("/slow", b"a").raw == b""
        assert not told.is_set()
        told.set()


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Wire]:
    """An endpoint with four places and all the patience of the product, so that only a lack of room cuts anybody off."""
    with wired(tmp_path, VERBS, Limits(connections=4, connections_of_one_peer=3, request_s=60)) as wire:
        yield wire


def assert_no_room(wire: Wire, source: str) -> None:
    """Fails unless a connection from `source` is cut off at once."""
    with wire.connect(source) as one_more:
        one_more.settimeout(SOON_S)
        assert is_cut(one_more)


def ask_from(wire: Wire, source: str) -> bytes:
    with wire.secure(wire.connect(source)) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\na")
        return read_all(connection)


def test_one_peer_has_some_of_the_places_and_the_rest_are_for_others(crowded: Wire) -> None:
    idle = [crowded.connect() for _ in range(3)]
    assert_no_room(crowded, HOST)
    assert ask_from(crowded, "127.0.0.2").startswith(b"HTTP/1.1 200")
    for each in idle:
        each.close()


def test_all_places_together_are_bounded(crowded: Wire) -> None:
    idle = [crowded.connect() for _ in range(2)] + [crowded.connect("127.0.0.2") for _ in range(2)]
    assert_no_room(crowded, "127.0.0.3")
    for each in idle:
        each.close()


def test_places_are_free_again_once_who_had_them_is_cut_off(hasty: Wire) -> None:
    idle = [hasty.connect() for _ in range(3)] + [hasty.connect("127.0.0.2")]
    assert all(is_cut(each) for each in idle)
    for each in idle:
        each.close()
    assert ask_from(hasty, "127.0.0.3").startswith(b"HTTP/1.1 200")


def test_many_ask_at_once_and_all_are_answered(tmp_path: Path) -> None:
    answers: list[bytes] = []
    with wired(tmp_path, VERBS, Limits(connections=40, connections_of_one_peer=40, request_s=60)) as wire:
        threads = [threading.Thread(target=lambda: answers.append(wire.post("/echo", b"abc").body)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [b"ABC"] * 20


# --------------------------------------------------------------------------------------------------- beginning and ending


def test_closing_ends_who_is_still_there_and_frees_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_CLOSING_S", 2 * SOON_S)
    tls = tls_file(tmp_path, STORAGE_KEY, HOST, datetime.now(UTC))
    endpoint = Endpoint(HOST, 0, tls.context(), VERBS, lambda _: None)
    endpoint.start()
    wire = Wire(endpoint.port, [])
    with wire.secure() as idle:
        began = time.monotonic()
        endpoint.close()
        assert time.monotonic() - began < SOON_S
        assert is_cut(idle)
    with pytest.raises(ConnectionRefusedError):
        wire.connect("127.0.0.2")  # from the endpoint's own address the kernel may connect a socket to itself
    again = Endpoint(HOST, endpoint.port, tls.context(), VERBS, lambda _: None)
    again.start()
    assert wire.post("/echo", b"a").body == b"A"
    again.close()


def test_an_endpoint_that_never_began_can_be_closed(tmp_path: Path) -> None:
    tls = tls_file(tmp_path, STORAGE_KEY, HOST, datetime.now(UTC))
    Endpoint(HOST, 0, tls.context(), VERBS, lambda _: None).close()
    assert tls.path.exists()


def test_a_port_that_another_has_is_refused(wire: Wire, tmp_path: Path) -> None:
    tls = tls_file(tmp_path, STORAGE_KEY, HOST, datetime.now(UTC))
    with pytest.raises(Refused, match="Address already in use"):
        Endpoint(HOST, wire.port, tls.context(), VERBS, lambda _: None)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "999.1.1.1"])
def test_a_host_that_is_none_is_invalid(tmp_path: Path, host: str) -> None:
    tls = tls_file(tmp_path, STORAGE_KEY, HOST, datetime.now(UTC))
    with pytest.raises(Invalid, match="expected a host to listen at"):
        Endpoint(host, 0, tls.context(), VERBS, lambda _: None)


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    tls = tls_file(tmp_path, STORAGE_KEY, HOST, datetime.now(UTC))
    with pytest.raises(Refused, match="Cannot assign requested address"):
        Endpoint("192.0.2.1", 0, tls.context(), VERBS, lambda _: None)


def test_it_listens_at_an_ipv6_address_too(tmp_path: Path) -> None:
    tls = tls_file(tmp_path, STORAGE_KEY, "::1", datetime.now(UTC))
    with Endpoint("::1", 0, tls.context(), VERBS, lambda _: None) as endpoint:
        plain = socket.create_connection(("::1", endpoint.port), 10)
        with Wire(endpoint.port, []).secure(plain) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\na")
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
