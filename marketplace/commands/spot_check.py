"""`agora check`: a look into a delivery before it is accepted."""

from typing import Annotated

import typer

from marketplace.buying.spot_check import DEFAULT_CHUNKS, Finding, Verdict
from marketplace.commands.keys import AsJson
from marketplace.commands.orders import OrderArgument
from marketplace.commands.session import Session
from marketplace.errors import Corrupt, Invalid, Unreachable
from marketplace.protocol.chunks import MOST_CHUNKS
from marketplace.protocol.descriptor import Described
from marketplace.protocol.identity import OrderId
from marketplace.terminal import guarded, parse_id, parse_order, say, show_json

DescriptorDigest = Annotated[
    str | None,
    typer.Option("--descriptor", metavar="DIGEST", help="SHA-256 of another descriptor than the ledger names."),
]
Fingerprint = Annotated[
    str | None, typer.Option("--certificate", metavar="DIGEST", help="SHA-256 of the TLS certificate in it.")
]
Chunks = Annotated[int, typer.Option(min=1, max=MOST_CHUNKS, help="How many chunks to open.")]


@guarded
def check(
    order: OrderArgument,
    descriptor: DescriptorDigest = None,
    certificate: Fingerprint = None,
    chunks: Chunks = DEFAULT_CHUNKS,
    as_json: AsJson = False,
) -> None:
    """Download ORDER and look into a few chunks before you accept it."""
    order_id = parse_order(order)
    described = _given(descriptor, certificate)
    verdict = Session.begin().client().spot_check(order_id, described, chunks=chunks, progress=say)
    if as_json:
        show_json(
            {
                "order": order_id.hex(),
                "passed": verdict.passed,
                "finding": verdict.finding.value,
                "chunks": list(verdict.chunks),
                "evidence": verdict.evidence,
            }
        )
    elif verdict.passed:
        print(f"Right: {verdict.evidence}")
    _raise_for(verdict, order_id)
    say(f"Nothing speaks against accepting it: `agora fetch {order_id.hex()}`.")


def _given(descriptor: str | None, certificate: str | None) -> Described | None:
    """What to believe instead of the ledger; None for nothing. Raises `Invalid` for half of it."""
    if descriptor is None and certificate is None:
        return None
    if descriptor is None or certificate is None:
        raise Invalid("expected --descriptor and --certificate together, or neither, as the ledger says; give both")
    return Described(parse_id(descriptor, "descriptor"), parse_id(certificate, "certificate"))


def _raise_for(verdict: Verdict, order: OrderId) -> None:
    """Raises `Unreachable` where nobody opened the chunks, `Corrupt` where they are wrong, with what to do."""
    if verdict.finding is Finding.NO_ANSWER:
        raise Unreachable(f"{verdict.evidence}; if that stays so, reject the delivery: `agora reject {order.hex()}`")
    if not verdict.passed:
        what = f"expected chunks that are right, got {verdict.finding.value}: {verdict.evidence}"
        raise Corrupt(f"{what}; reject the delivery: `agora reject {order.hex()}`")
