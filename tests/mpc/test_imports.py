"""What the joint analyses' code may not contain: anything that turns a peer's bytes into more than numbers and text."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import node.mpc

FORBIDDEN = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "copyreg",
    "multiprocessing",
    "xmlrpc",
    "mpyc",
}
CALLS = {"eval", "exec", "compile", "__import__", "load", "loads"}
MODULES = sorted(Path(node.mpc.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_can_unpickle_or_evaluate(path: Path) -> None:
    found = []
    for part in ast.walk(ast.parse(path.read_text())):
        if isinstance(part, ast.Import):
            found += [alias.name.split(".")[0] for alias in part.names]
        elif isinstance(part, ast.ImportFrom):
            found.append((part.module or "").split(".")[0])
        elif isinstance(part, ast.Call):
            found.append(part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", ""))
        elif isinstance(part, ast.keyword):
            found.append(part.arg or "")
    allowed = {"mpyc"} if path.name == "engine.py" else set()
    assert not ({*FORBIDDEN, *CALLS, "allow_pickle"} - allowed) & set(found)


@pytest.mark.parametrize(
    "module",
    [
        "node.mpc.party",
        "node.mpc.closed_party",
        "node.mpc.running",
        "node.mpc.joint",
        "node.commands.main",
        "node.workers.counting",
    ],
)
def test_no_import_loads_mpyc_whose_setup_a_partys_process_alone_runs(module: str) -> None:
    program = f"import sys, {module}; print('mpyc' in sys.modules, 'node.mpc.engine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", str(module == "node.mpc.closed_party")]


def test_a_partys_process_loads_neither_the_vault_nor_what_talks_to_ledger_store_or_web() -> None:
    program = "import sys, node.mpc.party; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    unwanted = (
        "node.vault",
        "node.workers",
        "node.daemon",
        "marketplace.ledger",
        "marketplace.content",
        "mpyc",
        "pyarrow",
    )
    assert "node.mpc.summing" in loaded
    assert not [name for name in loaded if name.startswith(unwanted)]
