"""`agora-node` as a process of its own: either started anew, or split off from the tests to save its start."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.keys.keystore import Purpose, create_key
from marketplace.keys.ledger import create_ledger_key
from marketplace.keys.passphrase import ScryptCost
from marketplace.ledger.signer import LocalSigner
from marketplace.settings import Connection, write_connection
from node.commands.main import run_command
from node.files import make_folder
from node.home import KEYS, LEDGER_KEY, SETTINGS, STORAGE_KEY
from tests.node.workplace import STORAGE_KEY as STORED

COMMAND = (sys.executable, "-c", "from node.commands.main import run_command; run_command()")
PASSPHRASE = "correct horse"
CHEAP = ScryptCost(n=2)
LONGEST_SPLIT_S = 240


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(home: Path, **changes: str) -> dict[str, str]:
    """What `agora-node` sees: the node's folder and a passphrase file, and no setting but `changes`."""
    passphrase = next(folder for folder in home.parents if folder.is_dir()) / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGORA_")}
    return {**kept, "AGORA_NODE_HOME": str(home), "AGORA_PASSPHRASE_FILE": str(passphrase), **changes}


def start(arguments: tuple[str, ...], given: Mapping[str, str]) -> "subprocess.Popen[str]":
    """`agora-node` in a new process."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*COMMAND, *arguments], env=dict(given), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )


def run(arguments: tuple[str, ...], given: Mapping[str, str]) -> Ended:
    """`agora-node` in a new process, until it ends."""
    process = start(arguments, given)
    out, err = process.communicate(timeout=600)
    return Ended(process.returncode, out, err)


def split(arguments: tuple[str, ...], given: Mapping[str, str]) -> Ended:
    """`agora-node` in a process that is split off from this one, which spares its imports, until it ends.

    A process split off from one with threads may never begin; then one of its own is started.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            _become(arguments, given, out.fileno(), err.fileno())
        code = _code(child)
        if code is None:
            return run(arguments, given)
        out.seek(0)
        err.seek(0)
        return Ended(code, out.read(), err.read())


def _code(child: int) -> int | None:
    """How a process ended; None if it had to be ended."""
    until = time.monotonic() + LONGEST_SPLIT_S
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _become(arguments: tuple[str, ...], given: Mapping[str, str], out: int, err: int) -> None:
    code = 99
    try:
        os.environ.clear()
        os.environ.update(given)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = ["agora-node", *arguments]
        run_command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def settle_in(home: Path, connection: Connection, signer: LocalSigner) -> None:
    """Makes a node's folder whose keys open quickly, and which serves however few records there are."""
    make_folder(home / KEYS)
    create_ledger_key(home / KEYS / LEDGER_KEY, signer.key, PASSPHRASE, cost=CHEAP)
    create_key(home / KEYS / STORAGE_KEY, STORED, PASSPHRASE, purpose=Purpose.STORAGE_KEY, cost=CHEAP)
    (home / SETTINGS).write_text(write_connection(connection) + "below_floor = true\n")
