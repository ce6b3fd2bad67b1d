"""The code of the contracts with a fault in them, by the legacy pipeline without the optimizer."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.compiling import compiler
from scripts.compiling.sources import collect
from scripts.faulting.fault import Fault

DEPLOYED = ("contracts/Marketplace.sol", "contracts/test-doubles/SealingReference.sol")
"""What the tests deploy by its name and what has rules in it."""

_TASK = {
    "language": "Solidity",
    "settings": {
        "evmVersion": compiler.SETTINGS["evmVersion"],
        "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
        "outputSelection": {name: {"*": ["evm.bytecode.object"]} for name in DEPLOYED},
    },
}


def _start() -> "subprocess.Popen[str]":
    command: list[str | Path] = ["node", Path(__file__).with_name("compiler.cjs")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@dataclass
class Compiler:
    """A compiler that stays in a process of its own, where it becomes several times as fast as in one for each fault."""

    _process: "subprocess.Popen[str]" = field(default_factory=_start)

    def code(self, fault: Fault) -> dict[str, str]:
        """Creation code in hex with a fault in it, by file and contract, `Marketplace.sol:Marketplace`.

        Raises `ValueError` where the fault cannot be planted or does not compile.
        """
        sources = collect(DEPLOYED) | {f"contracts/{fault.file}": fault.planted()}
        answer = self._ask({**_TASK, "sources": {name: {"content": text} for name, text in sources.items()}})
        problems = [each["formattedMessage"] for each in answer.get("errors", []) if each["severity"] == "error"]
        if problems:
            raise ValueError(f"expected what compiles, got {problems[0]}")
        return {
            f"{name.rsplit('/', 1)[-1]}:{contract}": compiled["evm"]["bytecode"]["object"]
            for name in DEPLOYED
            for contract, compiled in answer["contracts"][name].items()
        }

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
