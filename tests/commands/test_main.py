"""`agora` as a program of its own: help, completion, one whole order, interruption."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marketplace.commands.main import app
from marketplace.protocol import result
from tests.commands.market import AGORA, Buyer, environment

COMMANDS = (
    "offers",
    "buy",
    "order",
    "check",
    "fetch",
    "settle",
    "complain",
    "reject",
    "refund",
    "verify",
    "audit",
    "keys",
)


def test_an_order_from_the_offer_to_the_audit(buyer: Buyer, tmp_path: Path) -> None:
    market = buyer.market
    bought = buyer.run("buy", market.offer.id.hex(), "--rows", "6", "--yes", "--json").json()
    order = bytes.fromhex(bought["order"])
    market.provider.deliver(order)  # type: ignore[arg-type]
    assert buyer.run("fetch", order.hex(), "--wait", "0", cwd=tmp_path).code == 3
    market.provider.reveal(order)  # type: ignore[arg-type]
    fetched = buyer.run("fetch", order.hex(), "--settle", "--json", cwd=tmp_path).json()
    assert fetched["state"] == "Settled"
    assert (tmp_path / order.hex() / result.TABLE).read_text().count("\n") == 7
    verified = buyer.run("verify", order.hex(), cwd=tmp_path)
    assert verified.code == 0
    assert verified.out.splitlines()[-1].startswith("signed by 0x")


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """What `--help` says in a terminal of 80 columns, for every command."""
    asked = [(), *((command,) for command in COMMANDS), ("keys", "create"), ("keys", "backup"), ("keys", "restore")]
    shown = {}
    for path in asked:
        result = CliRunner(env=environment({})).invoke(app, [*path, "--help"], prog_name="agora")
        assert result.exit_code == 0
        shown[" ".join(path)] = result.stdout
    return shown


def test_help_is_the_same_in_a_process_of_its_own(helps: dict[str, str]) -> None:
    done = subprocess.run([AGORA, "--help"], env=environment({}), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, helps[""])


def test_help_fits_eighty_columns_and_names_every_command(helps: dict[str, str]) -> None:
    for text in helps.values():
        assert max(map(len, text.splitlines())) <= 80
        assert "--help" in text
    for command in COMMANDS:
        assert f"│ {command} " in helps[""]


def test_help_tells_the_exit_codes(helps: dict[str, str]) -> None:
    words = " ".join(helps[""].split())
    for code, meaning in enumerate(("done", None, "invalid input", "refused", "bytes or proofs disagree", "nobody")):
        assert meaning is None or f"{code} {meaning}" in words


def test_every_command_that_shows_something_has_json(helps: dict[str, str]) -> None:
    for command, text in helps.items():
        if command not in ("", "keys"):
            assert "--json" in text, command


def test_arguments_are_called_as_the_text_calls_them(helps: dict[str, str]) -> None:
    for command, argument in (("buy", "OFFER"), ("fetch", "ORDER"), ("verify", "RESULT"), ("keys backup", "FILE")):
        usage = next(line for line in helps[command].splitlines() if "Usage:" in line)
        assert f"agora {command} [OPTIONS]" in usage
        assert argument in usage


def test_no_help_offers_a_secret_on_the_command_line(helps: dict[str, str]) -> None:
    for text in helps.values():
        assert "--passphrase" not in text
        assert "--key" not in text


@pytest.mark.parametrize(
    "shell", ["bash", pytest.param("zsh", marks=pytest.mark.slow), pytest.param("fish", marks=pytest.mark.slow)]
)
def test_completion_is_there_for_each_shell(shell: str) -> None:
    script = subprocess.run(
        [AGORA], env=environment({"_AGORA_COMPLETE": f"source_{shell}"}), capture_output=True, text=True
    )
    assert "_AGORA_COMPLETE" in script.stdout


def test_completion_completes_commands() -> None:
    asked = environment({"_AGORA_COMPLETE": "complete_bash", "COMP_WORDS": "agora re", "COMP_CWORD": "1"})
    done = subprocess.run([AGORA], env=asked, capture_output=True, text=True)
    assert done.stdout.split() == ["relay", "reject", "refund"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Programs that a test starts can be interrupted, though a shell that runs the tests behind others ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_fetch_ends_in_one_line_and_can_go_on(buyer: Buyer, interruptible: None) -> None:
    order = buyer.place()
    process = subprocess.Popen(
        [AGORA, "fetch", order.hex()],
        env=environment(buyer.settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "waiting for the delivery\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (130, "")
    assert err == "stopped; start again to go on\n"


def test_a_fetch_killed_anywhere_goes_on(buyer: Buyer, tmp_path: Path) -> None:
    order = buyer.reveal()
    folder = buyer.home / "orders" / order.hex()
    for path in folder.iterdir():
        path.unlink()
    out = tmp_path / "result"
    for pause_s in (0.0, 0.1):
        process = subprocess.Popen(
            [AGORA, "fetch", order.hex(), "--out", str(out)],
            env=environment(buyer.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(pause_s)
        process.kill()
        process.communicate()
    ran = buyer.agora("fetch", order.hex(), "--out", str(out), "--settle", "--json")
    assert ran.json()["state"] == "Settled"
    assert buyer.agora("verify", str(out)).code == 0
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_a_reader_who_leaves_early_is_no_traceback(buyer: Buyer) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [AGORA, "offers"], env=environment(buyer.settings), stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_few_characters_is_no_traceback(buyer: Buyer) -> None:
    ran = buyer.run("offers", PYTHONIOENCODING="ascii")
    assert ran.code == 0
    assert ran.out.isascii()
