"""What commands share: an error is one line and an exit code, nothing that others wrote steers the terminal."""

import errno
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused, Unreachable
from marketplace.terminal import ask_passphrase, guarded, parse_offer, parse_order, plain, say, show_json


def ending(error: BaseException) -> int:
    @guarded
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        command()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Invalid("expected this"), 2),
        (Refused("expected that"), 3),
        (Corrupt("expected those"), 4),
        (Unreachable("expected these"), 5),
        (EOFError(), 2),
        (KeyboardInterrupt(), 130),
        (PermissionError(errno.EACCES, "Permission denied", "/secret/place/name.json"), 3),
        (OSError(errno.ENOSPC, "No space left on device", "/secret/place/name.json"), 5),
        (OSError("without a number"), 5),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "/secret" not in err
    if isinstance(error, MarketplaceError):
        assert err == f"error: {error}\n"


def test_a_reader_who_left_is_the_callers_matter() -> None:
    @guarded
    def command() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        command()


def test_a_programming_error_is_not_hidden() -> None:
    @guarded
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_a_command_keeps_its_name_and_gives_what_it_gives() -> None:
    @guarded
    def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    assert (double(4), double.__name__, double.__doc__) == (8, "double", "Twice as much.")


@given(st.text())
def test_plain_text_is_one_printable_line_of_the_same_length(text: str) -> None:
    shown = plain(text)
    assert len(shown) == len(text)
    assert shown.isprintable()
    assert all(left in (right, "?") for left, right in zip(shown, text, strict=True))


def test_what_others_wrote_adds_no_line_and_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\n  price  EUR 0.00 (test)\x1b[31m\u202e")
    assert capsys.readouterr().err == "one?  price  EUR 0.00 (test)?[31m?\n"


def test_json_is_one_object_with_every_character(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"title": "Übersicht \x1b"})
    assert json.loads(capsys.readouterr().out) == {"title": "Übersicht \x1b"}


def test_ids_may_have_a_prefix_and_space_around_them() -> None:
    for text in ("ab" * 32, "0x" + "ab" * 32, f" {'AB' * 32}\n"):
        assert parse_order(text) == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize("text", ["", "0x", "ab" * 31, "ab" * 33, "xy" * 32, "a b " * 16, "٣" * 64])
def test_what_is_no_id_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="the offer's id, 64 hexadecimal digits"):
        parse_offer(text)


def test_a_passphrase_comes_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text(" five words \r\n")
    assert ask_passphrase("keys", {"AGORA_PASSPHRASE_FILE": str(path)}) == " five words "
