"""`agora verify` and `agora audit`: numbered checks, by anyone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from marketplace.audit.audit import judge
from marketplace.audit.gathering import gather
from marketplace.certificate.verification import verify as verify_alone
from marketplace.certificate.verification import verify_against
from marketplace.commands.display import check_documents, checks_table, console
from marketplace.commands.keys import AsJson
from marketplace.content.address import open_store
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import checksummed
from marketplace.ledger.follower import Follower
from marketplace.ledger.jsonrpc import connect
from marketplace.protocol.check import Check
from marketplace.terminal import guarded, say, show_json

ResultFolder = Annotated[Path, typer.Argument(metavar="RESULT", help="The folder that `agora fetch` made.")]
Rpc = Annotated[str | None, typer.Option("--rpc", envvar="AGORA_RPC", help="URL of an EVM node.")]
Contract = Annotated[str | None, typer.Option("--contract", envvar="AGORA_CONTRACT", help="The marketplace's address.")]
Store = Annotated[
    str | None, typer.Option("--store", envvar="AGORA_STORE", help="A content store to read and re-hash too.")
]
FromBlock = Annotated[
    int, typer.Option("--from-block", envvar="AGORA_FROM_BLOCK", min=0, help="Where the contract's events begin.")
]
AlsoRpc = Annotated[str | None, typer.Option("--rpc", help="Compare with the ledger behind this URL too.")]
AlsoContract = Annotated[str | None, typer.Option("--contract", help="The marketplace's address on it.")]
AlsoFromBlock = Annotated[int, typer.Option("--from-block", min=0, help="Where the contract's events begin.")]


@guarded
def verify(
    result: ResultFolder,
    rpc: AlsoRpc = None,
    contract: AlsoContract = None,
    from_block: AlsoFromBlock = 0,
    as_json: AsJson = False,
) -> None:
    """Check everything about a RESULT that can be checked without asking anyone."""
    if (rpc is None) != (contract is None):
        raise Invalid("expected --rpc and --contract together, got one of them; give both, or neither to check offline")
    if rpc is None or contract is None:
        verification = verify_alone(result)
        against = "not checked against a ledger"
    else:
        ledger = connect(rpc, checksummed(contract))
        verification = verify_against(result, Follower(ledger, from_block=from_block).catch_up(), ledger.domain)
        against = "checked against the ledger"
    signed = f"signed by {verification.signer or 'nobody who can be told'}, {against}"
    if as_json:
        show_json({"passed": verification.passed, "signed": signed, "checks": check_documents(verification.checks)})
    else:
        console().print(checks_table("Verification", verification.checks))
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
        raise Invalid("expected --rpc and --contract: the URL of an EVM node and the marketplace's address; give both")
    ledger = connect(rpc, checksummed(contract))
    found = judge(gather(ledger, open_store(store) if store else None, say, from_block))
    if as_json:
        show_json({"passed": found.passed, "checks": check_documents(found.checks)})
    else:
        console().print(checks_table("Audit", found.checks))
    if not found.passed:
        raise Corrupt(f"expected every check to hold, failed: {failed(found.checks)}; look at the evidence")
    say("passed")


def failed(checks: Iterable[Check]) -> str:
    """The numbers of the checks that failed, in words."""
    numbers = [str(check.number) for check in checks if check.passed is False]
    return "check " + ", ".join(numbers) if numbers else "some checks could not be made"
