"""A failure as it goes over the network."""

import json

import pytest

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.protocol.failure import LONGEST_MESSAGE, decode_failure, encode_failure


@pytest.mark.parametrize("kind", [Invalid, Refused, Corrupt, Unreachable])
def test_each_kind_of_error_comes_back_with_its_words(kind: type[MarketplaceError]) -> None:
    said = decode_failure(encode_failure(kind("expected this, got that; do so")))
    assert type(said) is kind
    assert str(said) == "expected this, got that; do so"


def test_a_message_steers_no_terminal_and_is_cut_at_both_ends() -> None:
    nasty = "\x1b[31mred\nline\u202e" + "a" * 1_000
    document = json.loads(encode_failure(Refused(nasty)))
    assert document["message"] == ("?[31mred?line?" + "a" * 1_000)[:LONGEST_MESSAGE]
    sent = {"format": "agora/failure/1", "error": "Refused", "message": "\x07bell"}
    assert str(decode_failure(json.dumps(sent, sort_keys=True, separators=(",", ":")).encode())) == "?bell"


@pytest.mark.parametrize(
    "changes",
    [{"error": "ValueError"}, {"error": "MarketplaceError"}, {"error": 5}, {"message": 5}, {"message": None}, {"x": 1}],
)
def test_what_says_no_failure_is_corrupt(changes: dict[str, object]) -> None:
    document = json.loads(encode_failure(Refused("expected"))) | changes
    with pytest.raises(Corrupt, match="expected a failure"):
        decode_failure(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(Corrupt, match="not JSON"):
        decode_failure(b"<html>")
