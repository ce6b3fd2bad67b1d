"""`agora contest`, `examine` and `rule`: what buyer and arbiter do about a result that is wrong."""

from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.buying.arbitration import divided
from marketplace.buying.arbitration import rule as send_ruling
from marketplace.buying.evidence import LARGEST_BYTES
from marketplace.buying.examination import examine as open_disclosed
from marketplace.buying.examination import grounds_of
from marketplace.certificate.verification import verify_against
from marketplace.commands.checks import failed
from marketplace.commands.display import (
    check_documents,
    checks_table,
    console,
    receipt_line,
    time_text,
    transaction_documents,
)
from marketplace.commands.files import read_file
from marketplace.commands.keys import AsJson
from marketplace.commands.orders import OrderArgument, find_order
from marketplace.commands.session import Session
from marketplace.content.store import ContentStore
from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.ledger import Ledger
from marketplace.protocol.account import Account, OrderView
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.check import Check
from marketplace.protocol.settlement import WHOLE_BPS, Ruling, Split
from marketplace.sealing import WrongChunk
from marketplace.terminal import guarded, parse_order, plain, say, show_json

Because = Annotated[
    str,
    typer.Option("--because", metavar="TEXT", help="What is wrong, for everybody to read for ever: name no person."),
]
EvidenceOut = Annotated[
    Path | None,
    typer.Option(
        "--evidence", metavar="FILE", help="Write the key to this one result into FILE, for the arbiter alone."
    ),
]
EvidenceIn = Annotated[
    Path | None,
    typer.Option("--evidence", metavar="FILE", help="What the buyer handed over, as `agora contest` wrote it."),
]
Output = Annotated[Path | None, typer.Option("--output", metavar="DIR", help="The folder for the opened result.")]
Price = Annotated[
    int, typer.Option("--price", min=0, max=WHOLE_BPS, metavar="BPS", help="The providers' share of the price.")
]
Bond = Annotated[int, typer.Option("--bond", min=0, max=WHOLE_BPS, metavar="BPS", help="The lead's share of the bond.")]


@guarded
def contest(order: OrderArgument, because: Because, evidence: EvidenceOut = None, as_json: AsJson = False) -> None:
    """Call the arbiter about a revealed ORDER. Pays the deposit, which the arbiter earns by ruling."""
    order_id, client = parse_order(order), Session.begin().client()
    receipts = client.contest(order_id, because, evidence)
    view, head = client.order(order_id), client.account().offer_of(client.order(order_id)).head
    grounds = view.grounds.hex() if view.grounds else None
    if as_json:
        show_json(
            {
                "order": order_id.hex(),
                "state": view.state.word,
                "grounds": grounds,
                "arbiter": head.arbiter,
                "deadline_s": view.deadline_s,
                "evidence": str(evidence) if evidence else None,
                "transactions": transaction_documents(receipts),
            }
        )
        return
    for receipt in receipts:
        print(receipt_line(receipt))
    say(f"Public grounds {grounds}. {head.arbiter} may rule until {time_text(view.deadline_s)}.")
    if evidence:
        say(f"Hand {evidence} to the arbiter and to nobody else: whoever has it can read this result.")
    say(f"If nobody rules by then: `agora settle {order_id.hex()}` gives your deposit back.")


@guarded
def examine(order: OrderArgument, evidence: EvidenceIn = None, output: Output = None, as_json: AsJson = False) -> None:
    """Read what the buyer of a contested ORDER says; with its evidence, open the result and check it."""
    if (evidence is None) != (output is None):
        raise Invalid(
            "expected --evidence and --output together, got one of them; give both, or neither for the grounds"
        )
    order_id, session = parse_order(order), Session.begin()
    ledger, store = session.ledger(), session.store()
    account = session.follower(ledger).catch_up()
    view = find_order(account, order_id)
    shown: dict[str, Any] = {"order": order_id.hex(), "because": grounds_of(view, store).because}
    checks: tuple[Check, ...] = ()
    if evidence and output:
        files = _opened(account, view, ledger, store, read_file(evidence, LARGEST_BYTES), output)
        checks = verify_against(output, account, ledger.domain).checks
        shown |= {"files": {name: str(path) for name, path in files.items()}, "checks": check_documents(checks)}
    passed = all(check.passed for check in checks)
    if as_json:
        show_json(shown | ({"passed": passed} if evidence else {}))
    else:
        _print_examined(shown["because"], checks, output)
    if not passed:
        raise Corrupt(f"expected every check to hold, failed: {failed(checks)}; rule with that in mind")


@guarded
def rule(order: OrderArgument, price: Price, bond: Bond, as_json: AsJson = False) -> None:
    """Divide price and bond of a contested ORDER as its arbiter, in hundredths of a percent. It cannot be undone."""
    order_id, session = parse_order(order), Session.begin()
    ledger = session.ledger()
    account = session.follower(ledger).catch_up()
    view, ruling = find_order(account, order_id), Ruling(price, bond)
    parts = divided(account.offer_of(view).head, ruling)
    receipts = send_ruling(ledger, account, session.signer(), view, ruling)
    if as_json:
        state = find_order(session.follower(ledger).catch_up(), order_id).state.word
        show_json(
            {
                "order": order_id.hex(),
                "state": state,
                **_shares(parts),
                "transactions": transaction_documents(receipts),
            }
        )
        return
    for receipt in receipts:
        print(receipt_line(receipt))
    for name, units in _shares(parts).items():
        say(f"  {name.removesuffix('_units').replace('_', ' '):<12} {euro_text(units)}")


def _opened(
    account: Account, view: OrderView, ledger: Ledger, store: ContentStore, evidence: bytes, output: Path
) -> dict[str, Path]:
    try:
        return open_disclosed(account, view, ledger.domain, store, evidence, output, say)
    except WrongChunk as wrong:
        raise Corrupt(
            f"expected every chunk to open to its committed hash, chunk {wrong.index} does not, so the delivery contradicts "
            f"itself; the buyer can prove it with `agora complain {view.id.hex()}`, or rule in its favour"
        ) from wrong


def _print_examined(because: str, checks: tuple[Check, ...], output: Path | None) -> None:
    print("The buyer says:")
    for line in because.split("\n"):
        print(f"  {plain(line)}")
    if output:
        console().print(checks_table("Verification", checks))
        print(f"Result in {output}")


def _shares(parts: Split) -> dict[str, int]:
    return {
        "to_buyer_units": parts.to_buyer_units,
        "to_providers_units": parts.price_to_members_units,
        "bond_freed_units": parts.bond_to_lead_units,
        "to_arbiter_units": parts.deposit_to_arbiter_units,
    }
