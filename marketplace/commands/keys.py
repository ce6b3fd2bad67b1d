"""`agora keys`: make, back up and restore the buyer's keys."""

import os
from pathlib import Path
from typing import Annotated

import typer

from marketplace.commands.session import LEDGER_KEY, SEALING_SEED, Session
from marketplace.keys.backup import backup, restore
from marketplace.keys.keystore import Purpose, create_key
from marketplace.keys.ledger import create_ledger_key
from marketplace.ledger.signer import LocalSigner
from marketplace.terminal import ask_passphrase, guarded, say, show_json

app = typer.Typer(no_args_is_help=True, help="Make, back up and restore the buyer's keys.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command()
@guarded
def create(as_json: AsJson = False) -> None:
    """Make a ledger key and a sealing seed, encrypted under one passphrase."""
    session = Session.begin()
    passphrase = ask_passphrase("the new keys", twice=True)
    session.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = LocalSigner.random()
    create_ledger_key(session.keys / LEDGER_KEY, signer.key, passphrase)
    create_key(session.keys / SEALING_SEED, os.urandom(32), passphrase, purpose=Purpose.SEALING_SEED)
    if as_json:
        show_json({"address": signer.address})
    else:
        print(f"Address {signer.address}")
        say("Back the keys up now: `agora keys backup FILE`. Without the sealing seed no result can be read.")


@app.command(name="backup")
@guarded
def make_backup(destination: Path, as_json: AsJson = False) -> None:
    """Write all keys into one encrypted file."""
    names = backup(Session.begin().keys, destination, ask_passphrase("the backup", twice=True))
    _show(names, "backed up", as_json)


@app.command(name="restore")
@guarded
def restore_backup(source: Path, as_json: AsJson = False) -> None:
    """Bring the keys of a backup back. Other keys are never overwritten."""
    names = restore(source, Session.begin().keys, ask_passphrase("the backup"))
    _show(names, "restored", as_json)


def _show(names: tuple[str, ...], what: str, as_json: bool) -> None:
    if as_json:
        show_json({what.replace(" ", "_"): list(names)})
    else:
        print(f"{what}: {', '.join(names)}")
