"""Why a node turns an order down: a code for the ledger, words for its provider."""

from dataclasses import dataclass

from marketplace.protocol.states import DeclineReason


@dataclass(frozen=True)
class Objection:
    """`code` is all that the buyer and everybody else learn. `words` stay in the node; they name no record."""

    code: DeclineReason
    words: str
