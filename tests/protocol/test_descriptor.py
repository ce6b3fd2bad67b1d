"""Where a node answers, and by which certificate it is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.descriptor import Described, Descriptor, Place
from tests.protocol.examples import DESCRIPTOR, address

HOSTS = st.sampled_from(["node.example", "localhost", "a", "xn--nde-sna.example", "127.0.0.1", "::1", "2001:db8::1"])


@given(HOSTS, st.integers(1, 65_535), st.binary(min_size=32, max_size=32))
def test_a_descriptor_survives_being_written_and_read(host: str, port: int, certificate: bytes) -> None:
    descriptor = Descriptor(address(7), Place(host, port), certificate)
    assert Descriptor.decode(descriptor.encode()) == descriptor
    assert Place.of_text(str(descriptor.endpoint)) == descriptor.endpoint


def test_it_says_who_where_and_by_which_certificate() -> None:
    assert json.loads(DESCRIPTOR.encode()) == {
        "format": "agora/descriptor/1",
        "provider": DESCRIPTOR.provider,
        "endpoint": "https://node.example:8443",
        "certificate": "cc" * 32,
    }
    assert Descriptor(address(7), Place("::1", 443), bytes(32)).url == "https://[::1]:443"


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "node.example", "node.example:", ":8443", "node.example:0", "node.example:65536", "node.example:08443",
        "node.example:+1", "node.example:١", "Node.example:1", "node..example:1", "-node.example:1", "node_.example:1",
        "node.example.:1", "nöde.example:1", "a" * 64 + ":1", ".".join(["abcdefgh"] * 30) + ":1", "user@node.example:1",
        "node.example/path:1", "::1:443", "[::1]", "[::1:443", "[node.example]:443", "[127.0.0.1]:443", "[0:0::1]:443",
        "[fe80::1%eth0]:443", "127.1:80", "127.0.0.1.5:80", "0127.0.0.1:80", "256.0.0.1:80", "node.123:80",
        "node.example:443 ", " node.example:443", "node.example\n:443",
    ],
)  # fmt: skip
def test_a_text_that_is_no_place_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match=r"host|place|port"):
        Place.of_text(text)


def test_who_whose_and_which_are_checked() -> None:
    place = Place("node.example", 1)
    with pytest.raises(Invalid, match="provider's address"):
        Descriptor(address(7)[:-1], place, bytes(32))  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="fingerprint of 32 bytes"):
        Descriptor(address(7), place, bytes(31))
    for parts in ((bytes(31), bytes(32)), (bytes(32), bytes(33))):
        with pytest.raises(Invalid, match="32 bytes each"):
            Described(*parts)
