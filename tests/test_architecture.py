"""Who may import whom, and the one home of each heavy dependency."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT: dict[str, set[str]] = {
    "marketplace": {"marketplace.buying"},
    "marketplace.errors": set(),
    "marketplace.protocol": {"marketplace.errors"},
    "marketplace.settings": {"marketplace.errors"},
    "marketplace.ledger": {"marketplace.errors", "marketplace.protocol"},
    "marketplace.content": {"marketplace.errors"},
    "marketplace.keys": {"marketplace.errors"},
    "marketplace.sealing": {"marketplace.errors", "marketplace.keys"},
    "marketplace.scores": {"marketplace.errors", "marketplace.protocol"},
    "marketplace.certificate": {
        "marketplace.errors",
        "marketplace.keys",
        "marketplace.protocol",
        "marketplace.scores",
        "marketplace.sealing",
        "marketplace.ledger",
    },
    "marketplace.buying": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.ledger",
        "marketplace.content",
        "marketplace.keys",
        "marketplace.sealing",
        "marketplace.certificate",
        "marketplace.scores",
    },
    "marketplace.audit": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.ledger",
        "marketplace.content",
        "marketplace.sealing",
        "marketplace.certificate",
    },
    "node.endpoint": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.settings",
        "marketplace.ledger",
        "marketplace.content",
        "marketplace.keys",
        "marketplace.sealing",
        "marketplace.certificate",
        "node.admission",
        "node.commission",
        "node.delivery",
        "node.files",
        "node.journal",
        "node.pool",
        "node.sale",
        "node.synthesis",
        "node.twin",
    },
    "node.vault": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.keys",
        "marketplace.scores",
        "node.files",
        "node.nesting",
        "node.noise",
    },
    "node.nesting": {"marketplace.protocol"},
    "node.noise": {"marketplace.errors", "marketplace.protocol"},
    "node.synthesis": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.scores",
        "node.noise",
        "node.nesting",
    },
    "node.evaluation": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.scores",
        "marketplace.certificate",
        "node.noise",
        "node.nesting",
    },
    "node.mpc": {
        "marketplace.errors",
        "marketplace.keys",
        "marketplace.protocol",
        "marketplace.scores",
        "node.files",
        "node.memory",
        "node.noise",
    },
    "node.twin": {
        "marketplace.errors",
        "marketplace.protocol",
        "marketplace.scores",
        "node.evaluation",
        "node.synthesis",
    },
    "node.spending": {"marketplace.errors"},
    "node.files": {"marketplace.errors"},
    "node.objection": {"marketplace.protocol"},
    "node.work": {"marketplace.protocol", "node.objection"},
    "node.stock": {"marketplace.protocol", "marketplace.certificate", "node.vault", "node.work"},
    "node.admission": {
        "marketplace.errors",
        "marketplace.protocol",
        "node.objection",
        "node.spending",
        "node.synthesis",
        "node.evaluation",
    },
}
"""A part that is not listed may import every part of its own package and, from `node`, the shared part of `marketplace`."""

NEVER_IN_NODE = {"marketplace.web", "marketplace.catalogue", "marketplace.audit", "marketplace.commands"}

HOMES: dict[str, set[str]] = {
    "web3": {"marketplace.ledger"},
    "eth_account": {"marketplace.ledger"},
    "eth_tester": {"marketplace.ledger"},
    "eth_abi": {"marketplace.ledger"},
    "eth_keyfile": {"marketplace.keys"},
    "eth_keys": {"marketplace.keys"},
    "ipfshttpclient": {"marketplace.content"},
    "httpx": {"marketplace.content"},
    "cryptography": {"marketplace.sealing", "marketplace.keys", "node.mpc"},
    "pandas": {"marketplace.scores", "node.evaluation", "node.synthesis", "node.twin"},
    "typer": {"marketplace.commands", "node.commands"},
    "rich": {"marketplace.commands", "node.commands"},
    "duckdb": {"node.vault"},
    "pyarrow": {"node.vault", "node.synthesis", "node.evaluation", "node.nesting", "node.twin"},
    "torch": {"node.synthesis"},
    "sdv": {"node.synthesis"},
    "matplotlib": {"node.evaluation"},
    "sklearn": {"node.evaluation"},
    "lifelines": {"node.evaluation"},
    "mpyc": {"node.mpc"},
    "rdflib": {"marketplace.description"},
    "sqlalchemy": {"marketplace.catalogue"},
    "fastapi": {"marketplace.web", "node.endpoint"},
}

EVERYWHERE = {"numpy"}


def sources() -> Iterator[tuple[str, Path]]:
    for package in ("marketplace", "node"):
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield module.removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[str]:
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{path}: import by full name"
            assert statement.module
            yield statement.module
            if statement.module in ("marketplace", "node"):
                yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def part(module: str) -> str:
    return ".".join(module.split(".")[:2])


MODULES = dict(sources())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_the_table_allows(module: str) -> None:
    here = part(module)
    for imported in imports(MODULES[module]):
        there = part(imported)
        if there.split(".")[0] not in ("marketplace", "node") or there == here:
            continue
        assert not (module.startswith("marketplace") and there.startswith("node")), f"{module} imports {imported}"
        assert not (module.startswith("node") and there in NEVER_IN_NODE), f"{module} imports {imported}"
        if here in MAY_IMPORT:
            assert there in MAY_IMPORT[here] | {"marketplace", "node"}, f"{module} imports {imported}"


@pytest.mark.parametrize("module", MODULES)
def test_heavy_dependencies_stay_at_home(module: str) -> None:
    for imported in imports(MODULES[module]):
        top = imported.split(".")[0]
        if top in HOMES:
            assert part(module) in HOMES[top], f"{module} imports {imported}, whose home is {sorted(HOMES[top])}"


@pytest.mark.parametrize("module", MODULES)
def test_every_other_dependency_is_of_the_standard_library(module: str) -> None:
    for imported in imports(MODULES[module]):
        top = imported.split(".")[0]
        known = {"marketplace", "node"} | EVERYWHERE | set(HOMES) | set(sys.stdlib_module_names)
        assert top in known, f"{module} imports {imported}, which has no home in the table"


def test_the_protocol_is_made_of_the_standard_library_alone() -> None:
    for module, path in MODULES.items():
        if part(module) == "marketplace.protocol":
            for imported in imports(path):
                top = imported.split(".")[0]
                assert top == "marketplace" or top in sys.stdlib_module_names, f"{module} imports {imported}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "common", "helpers", "helper", "base", "core", "manager", "service", "misc"}
    assert not [module for module in MODULES if module.split(".")[-1] in empty]


def test_no_module_is_longer_than_three_hundred_and_fifty_lines() -> None:
    long = {module: count for module, path in MODULES.items() if (count := len(path.read_text().splitlines())) > 350}
    assert not long


def test_a_buyer_or_auditor_needs_no_extra() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installed = {name.split("[")[0].split("=")[0].split(">")[0].replace("-", "_") for name in project["dependencies"]}
    for module, path in MODULES.items():
        if module.startswith("marketplace") and part(module) not in ("marketplace.web", "marketplace.catalogue"):
            for imported in imports(path):
                top = imported.split(".")[0]
                if top in HOMES or top in EVERYWHERE:
                    assert top in installed or top == "eth_abi", (
                        f"{module} imports {imported}, which only an extra installs"
                    )
