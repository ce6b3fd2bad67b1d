"""The committed gas figures, contracts/gas.json, each with the conditions that it was measured under."""

import json
from typing import Any

from scripts.compiling.sources import CONTRACTS

PATH = CONTRACTS / "gas.json"
FORMAT = "agora/gas/1"
COLUMNS = ("first", "repeat", "open", "past", "ceiling")
Rows = dict[str, tuple[int | None, ...]]

CONDITIONS = {
    "all": "gasUsed of one transaction on py-evm, Prague rules: 21,000 and calldata counted, refunds subtracted; compiled"
    " as marketplace/ledger/artifact.json says; accounts, time and signatures the same in every run",
    "first": "the offer's first order: its counters, the bond's and the buyer's credit begin or end at zero",
    "repeat": "every balance, credit and counter that the step changes was above zero before and stays so",
    "open": "as repeat, beside 1,000 other orders of the same offer that are open",
    "past": "as repeat, beside 1,000 other orders of the same offer that are settled",
    "ceiling": "what the figure must not exceed, in repeat where there is one",
}
_ALONE = "one member, a bond of 50 euro, a price of 500 euro, a compute fee of 5 %"
STEPS = {
    "register": "a provider's first dataset",
    "publish": "one member, no consents, no authority, no arbiter",
    "stake": "the provider's first, approved before",
    "approve": "the buyer approves exactly one price, from none",
    "place": f"by the buyer, the whole approval used up; {_ALONE}",
    "deliver": f"by the lead alone; {_ALONE}",
    "acceptFor": f"by a stranger with the signature of the buyer's key; {_ALONE}",
    "accept": f"by the buyer, no permit; {_ALONE}",
    "reveal": f"by the lead, no permit; {_ALONE}",
    "complain": f"by the buyer, one chunk of 31 MiB, a path of 15 levels; {_ALONE}",
    "settle": f"by the buyer at once; {_ALONE}",
    "honest path": "place, deliver, accept, reveal and settle, added up",
    "withdrawPayout": "by a stranger for the only member",
    "withdrawCredit": "a part of the provider's credit",
    "place, relayed (approved), more": "than place, both with an approval that stays above zero; the buyer's key signed",
    "place, relayed (EIP-2612), more": "than place, as above, with the approval signed and handed in as well",
    "place, relayed (EIP-3009), more": "than place, as above, with a transfer signed instead of an approval",
    "publish, 2 members": "one consent by a key's signature",
    "place, each further member of 2": "than place with one member, the difference for each further one, rounded up",
    "deliver, each further member of 2": "than deliver with one member, where all datasets are the lead's own",
    "deliver, each further signature of 2": "than deliver with as many datasets of the lead's own; keys' signatures",
    "publish, 16 members": "fifteen consents by keys' signatures",
    "place, each further member of 16": "than place with one member, the difference for each further one, rounded up",
    "deliver, each further member of 16": "than deliver with one member, where all datasets are the lead's own",
    "deliver, each further signature of 16": "than deliver with as many datasets of the lead's own; keys' signatures",
    "settle, 16 members": "by the buyer at once, sixteen members",
    "contest": "by the buyer, a deposit above zero, approved before",
    "rule": "by the arbiter, price and bond divided",
}


def text(rows: Rows) -> str:
    """The figures as they are committed: one line for each step, with what it was measured under.

    Raises `LookupError` for a step whose conditions nobody has written down.
    """
    unsaid = sorted(set(rows) - set(STEPS))
    if unsaid:
        raise LookupError(f"expected the conditions of {', '.join(unsaid)} in {__name__}, found none")
    lines = [f"    {json.dumps(step)}: {json.dumps(_entry(step, figures))}" for step, figures in rows.items()]
    conditions = json.dumps(CONDITIONS, indent=4).replace("\n}", "\n  }")
    return (
        f'{{\n  "format": "{FORMAT}",\n  "conditions": {conditions},\n  "steps": {{\n'
        + ",\n".join(lines)
        + "\n  }\n}\n"
    )


def differences(rows: Rows) -> list[str]:
    """A sentence for each figure that is not the committed one, and for each that only one side has."""
    kept = json.loads(PATH.read_text())["steps"]
    found = {step: _figures(figures) for step, figures in rows.items()}
    names = [*found, *(step for step in kept if step not in found)]
    pairs = [
        (step, column, kept.get(step, {}).get(column), found.get(step, {}).get(column))
        for step in names
        for column in COLUMNS
    ]
    return [
        f"{step}, {column}: {before} is kept, {now} was measured"
        for step, column, before, now in pairs
        if before != now
    ]


def _entry(step: str, figures: tuple[int | None, ...]) -> dict[str, Any]:
    return {**_figures(figures), "conditions": STEPS[step]}


def _figures(figures: tuple[int | None, ...]) -> dict[str, int]:
    pairs = zip(COLUMNS, figures, strict=True)
    return {column: figure for column, figure in pairs if figure is not None}
