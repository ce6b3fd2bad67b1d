"""What a planted fault is, and what can come of trying it."""

from dataclasses import dataclass
from enum import Enum

from scripts.compiling.sources import CONTRACTS


@dataclass(frozen=True)
class Fault:
    """One mistake that somebody could make.

    `file`: of contracts/. `text`: stands there exactly once; `replacement` is put in its place. `sentence`: what is wrong
    then. `tests`: the files of contracts/test that can notice it, without `.t.sol`.
    """

    file: str
    text: str
    replacement: str
    sentence: str
    tests: tuple[str, ...]

    def plant(self, source: str) -> str:
        """`source` with the fault in it. Raises `ValueError` where the text does not stand there exactly once."""
        found = source.count(self.text)
        if found != 1:
            raise ValueError(f"expected the text once in {self.file}, found it {found} times: {self.text!r}")
        return source.replace(self.text, self.replacement)

    def planted(self) -> str:
        """The file with the fault in it. Raises as `plant` does."""
        return self.plant((CONTRACTS / self.file).read_text())


class Verdict(Enum):
    """What came of a fault."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    NOT_FOUND = "TEXT NOT FOUND"
    NOT_TRIED = "NOT TRIED"


@dataclass(frozen=True)
class Outcome:
    """What came of a fault. `words`: the tests that caught it, or why it was not tried."""

    verdict: Verdict
    words: str
