"""A party of a split table that counts how many messages it has waited for, one after the other, in all crossings:
`counting_crossing.py`."""

import sys
from pathlib import Path
from typing import Any

from node.mpc import party
from node.mpc.crossing import Crosses
from node.mpc.transcript import Transcript

COUNTED = "waits"


class Counting(Crosses):
    waits = 0

    def _mean_alike(self, asked: bytes) -> None:
        self.waits += 1
        super()._mean_alike(asked)

    def _dealt(self, *given: Any) -> Any:
        self.waits += 1
        return super()._dealt(*given)

    def _noise(self, *given: Any) -> Any:
        self.waits += 1
        return super()._noise(*given)

    def _open(self, *given: Any) -> Any:
        self.waits += 1
        return super()._open(*given)

    def finish(self) -> Transcript:
        Path(COUNTED).write_text(str(self.waits), encoding="utf-8")
        return super().finish()


if __name__ == "__main__":
    sys.exit(party.main(Counting))
