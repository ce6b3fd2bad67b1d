"""How the work on an order goes, as its provider can read it in the order's folder."""

from dataclasses import dataclass, field
from pathlib import Path

from node.workers.job import Name
from scripts.story.narration import Narrator

PHASES = {
    "debited": "debits the order's whole rho in its own account, before the first noise",
    "counting": "counts each column, with noise",
    "measuring": "counts the marginals that it chose, with noise",
    "fitting": "fits a graphical model to the noisy counts",
    "scoring": "scores the synthetic table, with noise",
}
"""What is told of the work, by the first word of a line of progress."""


@dataclass
class Making:
    """The work in `folder`, told phase by phase."""

    folder: Path
    say: Narrator
    _told: set[str] = field(default_factory=set)

    @property
    def failure(self) -> str | None:
        """Why the work failed; None while it has not."""
        path = self.folder / Name.FAILURE
        return path.read_text() if path.exists() else None

    def tell(self) -> None:
        """Tells every phase that began since."""
        path = self.folder / Name.PROGRESS
        for line in path.read_text().splitlines() if path.exists() else ():
            word = line.split(maxsplit=1)[0] if line.strip() else ""
            if word in PHASES and word not in self._told:
                self._told.add(word)
                self.say.aside(PHASES[word])
