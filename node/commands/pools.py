"""`agora-node offer draft`, `offer publish-draft` and `consent`: offers of several providers."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from marketplace.errors import Invalid
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.identity import NOBODY, DatasetId
from marketplace.protocol.offer import Guarantee, Kind, Offer
from marketplace.protocol.pool import everywhere_epsilon
from marketplace.protocol.purpose import purpose_codes, purpose_text
from marketplace.protocol.rho import delta_of, epsilon_of
from marketplace.protocol.unit import PrivacyUnit, unit_of
from marketplace.terminal import ask_passphrase, guarded, parse_id, say, show_json
from node.commands.conditions import (
    Arbiter,
    Authority,
    Bond,
    Cost,
    DeliverHours,
    Deposit,
    EpsilonOrExact,
    Exact,
    LicenceDays,
    Margin,
    MaxOpen,
    Purpose,
    RuleHours,
    Token,
    ValidDays,
    conditions_of,
)
from node.commands.datasets import AsJson
from node.commands.given import read_given
from node.commands.moment import moment_text, parse_moment
from node.commands.offers import app, now_s, show_published
from node.files import write_whole
from node.home import Node, home
from node.pool.consent import LARGEST_BYTES as LARGEST_CONSENT_BYTES
from node.pool.consent import Asked, SignedConsent
from node.pool.draft import LARGEST_BYTES, OfferDraft
from node.pooling import Part

Out = Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")]
DraftFile = Annotated[Path, typer.Argument(metavar="FILE", help="The drafted offer.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Analyses = Annotated[
    bool, typer.Option("--analyses", help="Sell joint analyses of three members or more, in place of a synthetic twin.")
]

Unit = Annotated[
    str,
    typer.Option(
        metavar="UNIT",
        help="The privacy unit: person, wherever it has records; or person-at-provider, where no person has records at two.",
    ),
]


@app.command()
@guarded
def draft(
    member: Annotated[
        list[str], typer.Option(metavar="DATASET:SHARE", help="A dataset and its share in basis points; once for each.")
    ],
    out: Out,
    token: Token,
    cost: Cost,
    margin: Margin,
    bond: Bond,
    epsilon: EpsilonOrExact = None,
    exact: Exact = False,
    analyses: Analyses = False,
    unit: Unit = PrivacyUnit.PERSON.word,
    deliver_hours: DeliverHours = 24,
    licence_days: LicenceDays = 365,
    max_open: MaxOpen = 8,
    valid_days: ValidDays = 180,
    authority: Authority = None,
    purpose: Purpose = None,
    arbiter: Arbiter = None,
    rule_hours: RuleHours = None,
    deposit: Deposit = None,
    as_json: AsJson = False,
) -> None:
    """Draft an offer of several providers, which you lead, for the others to consent to. Nothing is published."""
    conditions = conditions_of(
        token=token,
        epsilon=epsilon,
        exact=exact,
        cost=cost,
        margin=margin,
        bond=bond,
        deliver_hours=deliver_hours,
        licence_days=licence_days,
        max_open=max_open,
        valid_days=valid_days,
        authority=authority,
        purpose=purpose,
        arbiter=arbiter,
        rule_hours=rule_hours,
        deposit=deposit,
        kind=Kind.ANALYSIS if analyses else Kind.SYNTHETIC,
        unit=unit_of(unit),
    )
    parts = [_part(text) for text in member]
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    drafted = node.pooling().draft(parts, conditions, now_s(node))
    write_whole(out, drafted.encode())
    if as_json:
        show_json({"offer": drafted.offer.id.hex(), "file": str(out)})
        return
    print(f"Draft of offer {drafted.offer.id.hex()} in {out}")
    say("Hand it to the other members; each runs `agora-node consent` and gives you back a file.")


@app.command(name="publish-draft")
@guarded
def publish_draft(
    file: DraftFile,
    consent: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A member's consent; once for each.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the drafted offer in FILE with the consents of its other members, and stake for its bond."""
    drafted = OfferDraft.decode(read_given(file, LARGEST_BYTES))
    consents = [SignedConsent.decode(read_given(path, LARGEST_CONSENT_BYTES)) for path in consent or ()]
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    show_published(node.pooling().publish(drafted, consents, now_s(node)), as_json)


@guarded
def consent(
    file: DraftFile,
    until: Annotated[str, typer.Option(metavar="DAY", help="The last day on which it can be published so (UTC).")],
    out: Out,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show the drafted offer in FILE, ask, and sign that you are a member of it. Refused where it contradicts your own
    account or rules."""
    until_s, drafted = parse_moment(until), OfferDraft.decode(read_given(file, LARGEST_BYTES))
    node = Node.from_settings(home(), ask_passphrase("the node's keys"))
    pooling = node.pooling()
    asked = pooling.asked(drafted)
    for line in consent_lines(asked, until_s):
        say(line)
    pooling.check(asked, until_s, now_s(node))
    if not yes:
        _confirm("Consent to this offer?")
    signed = pooling.consent(asked, until_s, now_s(node))
    write_whole(out, signed.encode())
    if as_json:
        show_json({"offer": signed.offer.hex(), "member": signed.member, "until_s": until_s, "file": str(out)})
    else:
        print(f"Consent to offer {signed.offer.hex()} in {out}")


def consent_lines(asked: Asked, until_s: int) -> list[str]:
    """What a member reads before it consents."""
    offer = asked.draft.offer
    head, delta = offer.head, delta_of(offer.head.delta_atto)
    return [
        f"Offer {offer.id.hex()} of {head.kind.words}, led by {head.lead}, with {len(offer.members)} datasets",
        f"  price       {euro_text(head.price_units)}: cost {euro_text(head.cost_units)}, "
        f"margin {euro_text(head.margin_units)}",
        *(_stake_line(offer, stake.index, delta) for stake in asked.stakes),
        *(_unit_lines(offer, delta) if head.guarantee is Guarantee.DIFFERENTIALLY_PRIVATE else ()),
        f"  bond        {euro_text(head.bond_units)}, the lead's",
        f"  licence     {head.licence_s // 86_400} days, terms {head.terms.hex()}",
        *([] if head.authority == NOBODY else [f"  permits     of {head.authority} for {_purposes(head.purposes)}"]),
        *(
            []
            if head.arbiter == NOBODY
            else [f"  arbiter     {head.arbiter}, deposit {euro_text(head.contest_deposit_units)}"]
        ),
        f"  orders      at most {head.max_open} open at once, until {moment_text(head.valid_until_s)}",
        f"  consent     good for publishing it until {moment_text(until_s)}; any member can retire it later",
    ]


def _unit_lines(offer: Offer, delta: float) -> Iterator[str]:
    """Whom the promise protects, and what it is worth to a person with records at every member."""
    yield f"  unit        {offer.head.unit.text}"
    everywhere = everywhere_epsilon(offer.head, [member.rho_micro for member in offer.members])
    yield f"  together    epsilon {everywhere:.4f} at delta {delta:g} about a person at every member"
    if offer.head.unit is PrivacyUnit.PERSON_AT_PROVIDER:
        yield "  beware      nobody checks that no person is at several: one at k of them loses k * k times the rho"


def _stake_line(offer: Offer, index: int, delta: float) -> str:
    member = offer.members[index]
    owed_units = offer.head.price_units * member.share_bps // 10_000
    taken = "one of its allowance of exact orders, no promise to a person"
    if offer.head.guarantee is Guarantee.DIFFERENTIALLY_PRIVATE:
        taken = f"rho {member.rho_micro:,} micro an order (epsilon {epsilon_of(member.rho_micro, delta):.4f})"
    return (
        f"  yours       dataset {member.dataset.hex()[:16]}...: {taken}, "
        f"{member.share_bps / 100:g} % or {euro_text(owed_units)}"
    )


def _purposes(purposes: int) -> str:
    return ", ".join(purpose_text(code) for code in purpose_codes(purposes))


def _part(text: str) -> Part:
    dataset, colon, share = text.partition(":")
    if not (colon and share.isascii() and share.isdigit() and len(share) <= 5):
        raise Invalid(f"expected a dataset's id and its share in basis points, as in ID:5000, got {text[:80]!r}")
    return Part(DatasetId(parse_id(dataset, "dataset")), int(share))


def _confirm(question: str) -> None:
    """Raises `Invalid` unless a person says yes."""
    if not sys.stdin.isatty():
        raise Invalid("expected a keyboard to ask, found none; give --yes. Nothing was signed")
    print(f"{question} [y/N]: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Invalid("expected a yes, so nothing was signed")
