"""`agora verify` and `agora audit`: numbered checks, by anyone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marketplace.audit.audit import judge
from marketplace.audit.gathering import gather
from marketplace.certificate.verification import verify as verify_alone
from marketplace.certificate.verification import verify_against
from marketplace.commands.keys import AsJson
from marketplace.content.address import open_store
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import connect
from marketplace.protocol.check import Check
from marketplace.terminal import guarded, say, show_json

Rpc = Annotated[str | None, typer.Option("--rpc", envvar="AGORA_RPC", help="URL of an EVM node.")]
Contract = Annotated[str | None, typer.Option("--contract", envvar="AGORA_CONTRACT", help="The marketplace's address.")]
Store = Annotated[str | None, typer.Option("--store", envvar="AGORA_STORE", help="A content store to re-hash.")]
FromBlock = Annotated[int, typer.Option(envvar="AGORA_FROM_BLOCK", help="Where the contract's events begin.")]


@guarded
def verify(
    result: Annotated[Path, typer.Argument(help="The folder that `agora fetch` made.")],
    rpc: Annotated[str | None, typer.Option("--rpc", help="Compare with the ledger behind this URL too.")] = None,
    contract: Annotated[str | None, typer.Option("--contract", help="The marketplace's address on it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check everything about a RESULT that can be checked without asking anyone."""
    if rpc is None:
        verification = verify_alone(result)
        against = "not checked against a ledger"
    else:
        if contract is None:
            raise Invalid("expected --contract beside --rpc: the marketplace's address")
        ledger = connect(rpc, checksummed(contract))
        verification = verify_against(result, Follower(ledger).catch_up(), ledger.domain)
        against = "checked against the ledger"
    signed = f"signed by {verification.signer or 'nobody who can be told'}, {against}"
    if as_json:
        show_json({"passed": verification.passed, "signed": signed, "checks": documents(verification.checks)})
    else:
        show_checks("Verification", verification.checks)
        print(signed)
    if not verification.passed:
        raise Corrupt(
            f"expected every check to hold, failed: {failed(verification.checks)}; do not rely on this result"
        )


@guarded
def audit(
    rpc: Rpc = None, contract: Contract = None, store: Store = None, from_block: FromBlock = 0, as_json: AsJson = False
) -> None:
    """Rebuild the whole account from the ledger alone and check it."""
    if rpc is None or contract is None:
        raise Invalid("expected --rpc and --contract: the URL of an EVM node and the marketplace's address")
    ledger = connect(rpc, checksummed(contract))
    found = judge(gather(ledger, open_store(store) if store else None, say, from_block))
    if as_json:
        show_json({"passed": found.passed, "checks": documents(found.checks)})
    else:
        show_checks("Audit", found.checks)
        say("passed" if found.passed else "failed")
    if not found.passed:
        raise Corrupt(f"expected every check to hold, failed: {failed(found.checks)}; look at the evidence")


def show_checks(title: str, checks: Iterable[Check]) -> None:
    """A table of checks for people."""
    table = Table(title=title, show_lines=False)
    table.add_column("", justify="right")
    table.add_column("check", max_width=70)
    table.add_column("")
    table.add_column("evidence", overflow="fold")
    for check in checks:
        table.add_row(str(check.number), check.sentence, MARKS[check.passed], check.evidence)
    Console(width=None if Console().is_terminal else 160).print(table)


MARKS = {True: "holds", False: "[bold red]FAILS[/]", None: "not made"}


def documents(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Checks for JSON."""
    return [vars(check) for check in checks]


def failed(checks: Iterable[Check]) -> str:
    """The numbers of the checks that failed, in words."""
    numbers = [str(check.number) for check in checks if check.passed is False]
    return "check " + ", ".join(numbers) if numbers else "some checks could not be made"
