"""Tokens that describe themselves in other ways, or as somebody else: nothing is signed under a foreign domain."""

from typing import Any

import pytest

from marketplace.errors import Unreachable
from marketplace.ledger.abi import encode
from marketplace.ledger.addresses import address_of
from marketplace.ledger.chain import Revert
from marketplace.ledger.ids import Domain, keccak
from marketplace.ledger.tokens import allowance_units, approval_nonce, takes_authorization, token_domain
from marketplace.protocol.identity import OrderId

TOKEN, OTHER = address_of(b"\x07" * 20), address_of(b"\x08" * 20)
OWN = Domain(5, TOKEN, "USD Coin", "2")


class Answers:
    """A chain on which one contract answers the questions that it is given answers to, and undoes all others."""

    chain_id = 5

    def __init__(self, **answers: bytes | Exception) -> None:
        self._answers = {keccak(f"{name}{given}".encode())[:4]: said for (name, given), said in _signed(answers)}

    def call(self, to: str, data: bytes, *_: Any) -> bytes:
        assert to == TOKEN
        said = self._answers.get(data[:4], Revert(b""))
        if isinstance(said, Exception):
            raise said
        return said


def _signed(answers: dict[str, bytes | Exception]) -> list[tuple[tuple[str, str], bytes | Exception]]:
    given = {"nonces": "(address)", "authorizationState": "(address,bytes32)", "allowance": "(address,address)"}
    return [((name, given.get(name, "()")), said) for name, said in answers.items()]


def described(**changes: Any) -> bytes:
    """An answer by ERC-5267."""
    usual = {
        "fields": b"\x0f",
        "name": "USD Coin",
        "version": "2",
        "chain": 5,
        "contract": TOKEN,
        "salt": bytes(32),
        "extensions": [],
    }
    kinds = ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")
    return encode(kinds, {**usual, **changes}.values())


NAMED = {"name": encode(["string"], ["USD Coin"]), "version": encode(["string"], ["2"])}
SEPARATOR = OWN.separator


def test_a_token_that_describes_itself_is_taken_at_its_word() -> None:
    assert token_domain(Answers(eip712Domain=described()), TOKEN) == OWN  # type: ignore[arg-type]
    told = Answers(eip712Domain=described(), DOMAIN_SEPARATOR=SEPARATOR)
    assert token_domain(told, TOKEN) == OWN  # type: ignore[arg-type]


def test_an_older_token_is_known_by_name_and_version() -> None:
    assert token_domain(Answers(**NAMED, DOMAIN_SEPARATOR=SEPARATOR), TOKEN) == OWN  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_token_that_does_not_tell_its_version_has_the_one_that_fits(version: str) -> None:
    fitting = Domain(5, TOKEN, "USD Coin", version)
    told = Answers(name=NAMED["name"], DOMAIN_SEPARATOR=fitting.separator)
    assert token_domain(told, TOKEN) == fitting  # type: ignore[arg-type]


def test_an_authorization_that_was_used_is_taken_no_more() -> None:
    order = OrderId(bytes(32))
    for used in (False, True):
        told = Answers(authorizationState=encode(["bool"], [used]))
        assert takes_authorization(told, TOKEN, OTHER, order) is not used  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"chain": 1}, {"contract": OTHER}, {"fields": b"\x1f"}, {"fields": b"\x07"}, {"extensions": [1]}],
    ids=str,
)
def test_a_token_that_describes_another_contract_is_refused(changes: dict[str, Any]) -> None:
    assert token_domain(Answers(eip712Domain=described(**changes)), TOKEN) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("said", [Domain(5, OTHER, "USD Coin", "2"), Domain(1, TOKEN, "USD Coin", "2")], ids=str)
def test_a_token_whose_separator_is_anothers_is_refused(said: Domain) -> None:
    for told in (
        Answers(**NAMED, DOMAIN_SEPARATOR=said.separator),
        Answers(eip712Domain=described(), DOMAIN_SEPARATOR=said.separator),
    ):
        assert token_domain(told, TOKEN) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("answers", [{}, NAMED, {"DOMAIN_SEPARATOR": SEPARATOR}, {"name": b"\xff" * 64}], ids=len)
def test_a_token_that_says_too_little_is_refused(answers: dict[str, bytes]) -> None:
    assert token_domain(Answers(**answers), TOKEN) is None  # type: ignore[arg-type]
    assert approval_nonce(Answers(**answers), TOKEN, OTHER) is None  # type: ignore[arg-type]
    assert allowance_units(Answers(**answers), TOKEN, OTHER, OTHER) == 0  # type: ignore[arg-type]
    assert not takes_authorization(Answers(**answers), TOKEN, OTHER, OrderId(bytes(32)))  # type: ignore[arg-type]


def test_a_silent_node_is_not_taken_for_a_silent_token() -> None:
    silent = Answers(eip712Domain=Unreachable("nobody"), nonces=Unreachable("nobody"))
    with pytest.raises(Unreachable):
        token_domain(silent, TOKEN)  # type: ignore[arg-type]
    with pytest.raises(Unreachable):
        approval_nonce(silent, TOKEN, OTHER)  # type: ignore[arg-type]


def test_a_number_of_approvals_is_read() -> None:
    assert approval_nonce(Answers(nonces=encode(["uint256"], [9])), TOKEN, OTHER) == 9  # type: ignore[arg-type]
