"""What the commands of buyer, auditor and provider share: errors as one line and an exit code, JSON, secrets by prompt."""

import functools
import getpass
import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from marketplace.content.disk import explained
from marketplace.errors import Invalid, MarketplaceError
from marketplace.protocol.identity import OfferId, OrderId

P = ParamSpec("P")
R = TypeVar("R")

EXIT_INTERRUPTED = 130
DEEPEST_CALLS = 1_000


def prepare_process() -> None:
    """What a command does before anything else.

    What the terminal's encoding lacks is shown as a question mark. Python's limit on recursion, which a library lifts so
    far that deeply nested JSON would end the process, is set back.
    """
    sys.setrecursionlimit(DEEPEST_CALLS)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """The command, ending with one line on standard error and the error's exit code instead of a traceback."""

    @functools.wraps(command)
    def ending_well(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MarketplaceError as error:
            raise _ending(error) from None
        except EOFError:
            raise _ending(Invalid("expected an answer from the keyboard, got none; start again")) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            name = Path(os.fsdecode(error.filename)).name if isinstance(error.filename, str | bytes) else "this command"
            raise _ending(explained(error, name)) from None
        except KeyboardInterrupt:
            say("stopped; start again to go on")
            raise SystemExit(EXIT_INTERRUPTED) from None

    return ending_well


def _ending(error: MarketplaceError) -> SystemExit:
    say(f"error: {error}")
    return SystemExit(error.exit_code)


def plain(text: str) -> str:
    """`text` as one line that steers no terminal: what others wrote may hold line ends, colours or hidden marks."""
    return "".join(character if character.isprintable() else "?" for character in text)


def say(text: str) -> None:
    """One line of progress on standard error, so that standard output stays a result."""
    print(plain(text), file=sys.stderr, flush=True)


def show_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def ask_passphrase(what: str, environment: Mapping[str, str] = os.environ, *, twice: bool = False) -> str:
    """A passphrase from the file that `AGORA_PASSPHRASE_FILE` names, or from the keyboard, never from the command line.

    Raises `Invalid` if there is neither, it is empty, or two entries differ.
    """
    if (name := environment.get("AGORA_PASSPHRASE_FILE")) is not None:
        try:
            text = Path(name).read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise Invalid(
                "expected a passphrase in the file that AGORA_PASSPHRASE_FILE names, could not read it; check the name"
            ) from None
    elif sys.stdin.isatty():
        text = getpass.getpass(f"Passphrase for {what}: ")
        if twice and getpass.getpass("The same again: ") != text:
            raise Invalid("expected the same passphrase twice, got two different ones; start again")
    else:
        raise Invalid(
            "expected a keyboard to ask for a passphrase; write it into a file that AGORA_PASSPHRASE_FILE names"
        )
    if not text:
        raise Invalid("expected a passphrase, got an empty one; choose one of several words")
    return text


def parse_id(text: str, noun: str) -> bytes:
    """The 32 bytes that `text` spells in hexadecimal, with or without 0x. Raises `Invalid` if it spells something else."""
    digits = text.strip().removeprefix("0x")
    try:
        value = bytes.fromhex(digits) if len(digits) == 64 else b""
    except ValueError:
        value = b""
    if len(value) != 32:
        raise Invalid(f"expected the {noun}'s id, 64 hexadecimal digits, got {len(text)} characters; copy it again")
    return value


def parse_order(text: str) -> OrderId:
    """An order's id."""
    return OrderId(parse_id(text, "order"))


def parse_offer(text: str) -> OfferId:
    """An offer's id."""
    return OfferId(parse_id(text, "offer"))
