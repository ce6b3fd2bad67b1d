"""Asking a node: who answers is known by its certificate alone, and no answer can hold the buyer up or overfill it."""

import ssl
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.buying.endpoint import LARGEST_ANSWER_BYTES, ask, read_descriptor
from marketplace.content.memory import MemoryStore
from marketplace.content.store import put_bytes
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.protocol.descriptor import Described, Place
from marketplace.protocol.failure import encode_failure
from tests.buying.answering import silence
from tests.buying.listener import Talk, listening
from tests.endpoint.wire import wired
from tests.protocol.examples import DESCRIPTOR, address


def saying(*pieces: bytes, pause_s: float = 0.0) -> Talk:
    """Answers with these bytes."""

    def talk(connection: ssl.SSLSocket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)

    return talk


def response(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_the_answer_of_whoever_has_the_certificate_comes_back(tmp_path: Path) -> None:
    with listening(tmp_path, saying(response(b"yes"))) as listener:
        assert ask(listener.descriptor, "chunks", b"question") == b"yes"
    assert listener.heard.startswith(b"POST /chunks HTTP/1.1\r\n")


def test_to_another_certificate_nothing_is_sent_at_all(tmp_path: Path) -> None:
    with listening(tmp_path, saying(response(b"yes"))) as listener:
        other = replace(listener.descriptor, certificate=b"\xcc" * 32)
        with pytest.raises(Corrupt, match="got another, so nothing was sent"):
            ask(other, "chunks", b"question")
        assert listener.talked.wait(60)
    assert listener.heard == b""


def test_a_node_is_not_asked_over_older_tls(tmp_path: Path) -> None:
    with listening(tmp_path, saying(response(b"yes")), ssl.TLSVersion.TLSv1_2) as listener:
        with pytest.raises(Unreachable, match="got none; try again"):
            ask(listener.descriptor, "chunks", b"question")
        assert listener.talked.wait(60)
    assert listener.heard == b""


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n\r\nof any length",
        b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\nabc",
        b"hello there\r\n\r\n",
        b"HTTP/9 what\r\n\r\n",
        b"\x00" * 100_000,
    ],
)
def test_what_is_no_answer_is_unreachable(tmp_path: Path, said: bytes) -> None:
    with listening(tmp_path, saying(said)) as listener, pytest.raises(Unreachable, match="got none"):
        ask(listener.descriptor, "chunks", b"question")


@pytest.mark.parametrize("declared", [b"65537", b"9" * 5_000])
def test_an_answer_that_is_too_long_is_corrupt(tmp_path: Path, declared: bytes) -> None:
    long = b"a" * (LARGEST_ANSWER_BYTES + 1)
    said = b"HTTP/1.1 200 OK\r\nContent-Length: " + declared + b"\r\n\r\n" + long
    with listening(tmp_path, saying(said)) as listener, pytest.raises(Corrupt, match="at most 65536 bytes"):
        ask(listener.descriptor, "chunks", b"question")


@pytest.mark.parametrize("begins", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: "])
def test_an_answer_that_never_ends_is_given_up_in_time(tmp_path: Path, begins: bytes) -> None:
    with listening(tmp_path, saying(begins, *[b"a"] * 1_200, pause_s=0.05)) as listener:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="got none"):
            ask(listener.descriptor, "chunks", b"question", patience_s=0.5)
        assert time.monotonic() - began < 50


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    with listening(tmp_path, saying(response(b"yes"))) as listener:
        there = listener.descriptor
        assert ask(there, "chunks", b"question") == b"yes"
    with silence() as place, pytest.raises(Unreachable, match=r"expected an answer from https://127\.0\.0\.1"):
        ask(replace(there, endpoint=place), "chunks", b"question")
    with pytest.raises(Unreachable):
        ask(replace(there, endpoint=Place("no-such-host.invalid", 1)), "chunks", b"question")


@pytest.mark.parametrize("kind", [Invalid, Refused, Corrupt, Unreachable])
def test_what_the_node_says_went_wrong_is_raised_as_it_is(tmp_path: Path, kind: type[MarketplaceError]) -> None:
    failure = encode_failure(kind("expected this, got that"))
    with listening(tmp_path, saying(response(failure, b"409 Conflict"))) as listener, pytest.raises(kind) as caught:
        ask(listener.descriptor, "chunks", b"question")
    assert type(caught.value) is kind
    assert str(caught.value) == "the node said: expected this, got that"


def test_a_failure_without_a_reason_is_corrupt(tmp_path: Path) -> None:
    page = response(b"<html>busy</html>", b"500 Oh no")
    with listening(tmp_path, saying(page)) as listener, pytest.raises(Corrupt, match="got HTTP 500"):
        ask(listener.descriptor, "chunks", b"question")


def test_the_real_endpoint_is_asked_alike(tmp_path: Path) -> None:
    with wired(tmp_path, {"echo": lambda body: body}) as wire:
        with wire.secure() as connection:
            shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        descriptor = replace(DESCRIPTOR, endpoint=Place("127.0.0.1", wire.port), certificate=sha256(shown).digest())
        assert ask(descriptor, "echo", b"a" * 8_192) == b"a" * 8_192
        with pytest.raises(Invalid, match="the node said: expected POST /echo"):
            ask(descriptor, "other", b"a")


def test_a_descriptor_counts_only_with_the_provider_and_the_certificate_on_the_ledger() -> None:
    store = MemoryStore()
    digest = put_bytes(store, DESCRIPTOR.encode()).digest
    described = Described(digest, DESCRIPTOR.certificate)
    assert read_descriptor(described, DESCRIPTOR.provider, store) == DESCRIPTOR
    with pytest.raises(Corrupt, match="the provider's own descriptor"):
        read_descriptor(described, address(5), store)
    with pytest.raises(Corrupt, match="the provider's own descriptor"):
        read_descriptor(Described(digest, bytes(32)), DESCRIPTOR.provider, store)
    with pytest.raises(Corrupt, match="agora/descriptor/1"):
        read_descriptor(replace(described, descriptor=put_bytes(store, b"{}").digest), DESCRIPTOR.provider, store)
    with pytest.raises(Unreachable):
        read_descriptor(replace(described, descriptor=bytes(32)), DESCRIPTOR.provider, store)
