"""One numbered check of an audit or a verification: a sentence, whether it holds, and the evidence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`passed` is None where the check could not be made; `evidence` then says what was missing."""

    number: int
    sentence: str
    passed: bool | None
    evidence: str
