"""`agora keys`: make, back up and restore the buyer's keys."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from marketplace.commands.session import LEDGER_KEY, SEALING_SEED, Session
from marketplace.errors import Refused
from marketplace.keys.backup import backup, restore
from marketplace.keys.file import create_folder
from marketplace.keys.keystore import Purpose, create_key
from marketplace.keys.ledger import create_ledger_key
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address
from marketplace.terminal import ask_passphrase, guarded, say, show_json

app = typer.Typer(no_args_is_help=True, help="Make, back up and restore the buyer's keys.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command()
@guarded
def create(as_json: AsJson = False) -> None:
    """Make a ledger key and a sealing seed, encrypted under one passphrase."""
    keys = Session.begin().keys
    if keys.is_dir() and any(keys.iterdir()):
        raise Refused(
            "expected a wallet without keys, it has some, and keys are never overwritten; set another AGORA_HOME"
        )
    address = make_keys(keys, ask_passphrase("the new keys", twice=True))
    if as_json:
        show_json({"address": address})
    else:
        print(f"Address {address}")
    say("Back the keys up now: `agora keys backup FILE`. Without the sealing seed no result can be read.")


@app.command(name="backup")
@guarded
def make_backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the backup; nothing may be there yet.")],
    as_json: AsJson = False,
) -> None:
    """Write all keys into one encrypted FILE, under a passphrase of its own."""
    names = backup(Session.begin().keys, file, ask_passphrase("the backup", twice=True))
    _show(names, "backed up", as_json)


@app.command(name="restore")
@guarded
def restore_backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")], as_json: AsJson = False
) -> None:
    """Bring the keys of the backup in FILE back. Other keys are never overwritten."""
    names = restore(file, Session.begin().keys, ask_passphrase("the backup"))
    _show(names, "restored", as_json)


def make_keys(folder: Path, passphrase: str) -> Address:
    """Makes both keys in `folder`, which must be empty or not there yet: both or none. Gives the account's address."""
    waiting = folder.with_name(folder.name + ".part")
    create_folder(folder.parent)
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(mode=0o700)
    signer = LocalSigner.random()
    create_key(waiting / SEALING_SEED, os.urandom(32), passphrase, purpose=Purpose.SEALING_SEED)
    create_ledger_key(waiting / LEDGER_KEY, signer.key, passphrase)
    waiting.rename(folder)
    return signer.address


def _show(names: tuple[str, ...], what: str, as_json: bool) -> None:
    if as_json:
        show_json({what.replace(" ", "_"): list(names)})
    else:
        print(f"{what}: {', '.join(names)}")
