"""Every error of the contracts becomes one class of the error tree and one line for a person."""

import string
from collections.abc import Iterator

import pytest

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger import artifact
from marketplace.ledger.abi import encode
from marketplace.ledger.artifact import Entry
from marketplace.ledger.refusals import MESSAGE, error_name, refusal
from marketplace.ledger.wording import WORDING
from marketplace.protocol.states import OrderState

ERRORS = {entry.name: entry for entry in artifact.load().errors.values()}
EXAMPLES = {"bytes32": b"\xab" * 32, "address": "0x" + "11" * 20, "string": "kind"}
PANIC = bytes.fromhex("4e487b71")


def data_of(entry: Entry) -> bytes:
    values = [EXAMPLES.get(item.type, 3) for item in entry.inputs]
    return entry.key + encode((item.type for item in entry.inputs), values)


def fields_of(text: str) -> Iterator[str]:
    return (name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_the_map_names_the_contracts_errors_and_no_others() -> None:
    assert set(WORDING) == set(ERRORS)


@pytest.mark.parametrize("name", sorted(WORDING))
def test_an_error_becomes_one_line_of_its_class(name: str) -> None:
    error = refusal(data_of(ERRORS[name]))
    kind, text = WORDING[name]
    assert type(error) is kind
    assert kind in (Invalid, Refused, Corrupt)
    assert str(error).startswith("expected ")
    assert "\n" not in str(error)
    assert len(str(error)) < 400
    assert set(fields_of(text)) <= {item.name for item in ERRORS[name].inputs}


def test_amounts_times_and_states_are_shown_as_people_say_them() -> None:
    credit = ERRORS["InsufficientCredit"]
    given = encode([item.type for item in credit.inputs], ["0x" + "11" * 20, "0x" + "22" * 20, 5_000_000, 7_500_000])
    text = str(refusal(credit.key + given))
    assert "EUR 7.50 (test)" in text
    assert "got EUR 5.00 (test)" in text
    late = refusal(ERRORS["TooLate"].key + encode(["bytes32", "uint40"], [bytes(32), 1_700_000_000]))
    assert "2023-11-14 22:13:20 UTC" in str(late)
    state = ERRORS["WrongState"]
    wrong = refusal(
        state.key + encode(["bytes32", "uint8", "uint8"], [bytes(32), OrderState.PLACED, OrderState.ACCEPTED])
    )
    assert "to be Accepted, it is Placed" in str(wrong)


@pytest.mark.parametrize(
    ("name", "word"), [("NotZero", "stock"), ("OutOfRange", "contestDeposit"), ("RoleConflict", "arbiter")]
)
def test_a_field_is_named_by_its_word(name: str, word: str) -> None:
    entry = ERRORS[name]
    values = [word.encode().ljust(32, b"\0"), *(EXAMPLES.get(item.type, 3) for item in entry.inputs[1:])]
    text = str(refusal(entry.key + encode((item.type for item in entry.inputs), values)))
    assert f" {word} " in text
    assert "\0" not in text


def test_a_field_that_is_no_word_is_still_one_line() -> None:
    entry = ERRORS["NotZero"]
    assert "\n" not in str(refusal(entry.key + b"a\nb\xff".ljust(32, b"\0")))


def test_the_largest_time_can_be_shown() -> None:
    late = refusal(ERRORS["OfferExpired"].key + encode(["bytes32", "uint64"], [bytes(32), 2**64 - 1]))
    assert "9999-12-31" in str(late)


def test_a_panic_is_refused_and_numbered() -> None:
    error = refusal(PANIC + encode(["uint256"], [0x11]))
    assert type(error) is Refused
    assert "panic 0x11" in str(error)


def test_a_text_is_refused_and_quoted() -> None:
    error = refusal(MESSAGE + encode(["string"], ["not\ntoday" + "!" * 500]))
    assert type(error) is Refused
    assert "'not\\ntoday!" in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xde\xad\xbe\xef", b"\xde\xad\xbe\xef" + bytes(64)])
def test_what_no_contract_of_ours_says_is_refused(data: bytes) -> None:
    error = refusal(data)
    assert type(error) is Refused
    assert "check the contract's address" in str(error)


def test_a_known_error_with_broken_arguments_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        refusal(ERRORS["TooLate"].key + b"\x01")


def test_an_error_of_another_origin_has_no_name_of_the_contract() -> None:
    assert error_name(Refused("something else")) is None
