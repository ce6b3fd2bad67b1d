"""What the product's contracts are made of, by the compiler's syntax trees and the code that it gives."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.compiling import artifact, compiler, lines, packages, sources

KEPT = json.loads(artifact.PATH.read_text())["contracts"]
LIMIT_BYTES = 22 * 1024
LIMIT_LINES = 500
BASES = {
    "IBooks", "IMarketplace", "IPermits", "IProviders", "ILicences", "Books", "IERC5267", "IERC721",
    "EIP712", "ReentrancyGuardTransient", "ERC20Permit", "ERC3009",
}  # fmt: skip
TRANSFERS = {"collect", "collectSigned", "safeTransfer"}
OPCODES = {0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xFF: "SELFDESTRUCT"}
RULER = re.compile(
    r"(?i)^(owner|admin|pause|unpause|proxy|upgrade\w*|initiali[sz]e\w*|\w+ownership|\w*(govern|guardian)\w*)$"
)

Node = dict[str, Any]


@pytest.fixture(scope="module")
def trees() -> dict[str, Node]:
    """The syntax tree of each source of our own, by its file's name."""
    packages.install()
    found = sources.collect(artifact.ENTRIES.values())
    answer = compiler.compile_sources(found, set())["sources"]
    return {name.rsplit("/", 1)[-1]: answer[name]["ast"] for name in found if name.startswith("contracts/")}


def nodes(tree: Any, *kinds: str) -> Iterator[Node]:
    """Every node of a tree, or those of some kinds."""
    if isinstance(tree, dict):
        if "nodeType" in tree and (not kinds or tree["nodeType"] in kinds):
            yield tree
        for child in tree.values():
            yield from nodes(child, *kinds)
    elif isinstance(tree, list):
        for child in tree:
            yield from nodes(child, *kinds)


def called(statement: Node) -> str:
    """The name of the function that a statement consists in calling, if it does."""
    call = statement.get("expression", {})
    if statement["nodeType"] != "ExpressionStatement" or call["nodeType"] != "FunctionCall":
        return ""
    return str(call["expression"].get("memberName", call["expression"].get("name", "")))


def operations(code: bytes) -> Iterator[int]:
    """The opcodes of a program, without what they push."""
    place = 0
    while place < len(code):
        yield code[place]
        place += 1 + (code[place] - 0x5F if 0x60 <= code[place] <= 0x7F else 0)


@pytest.mark.parametrize("name", KEPT)
def test_runtime_code_leaves_room_below_the_limit(name: str) -> None:
    assert KEPT[name]["runtime_bytes"] <= LIMIT_BYTES


@pytest.mark.parametrize("name", KEPT)
def test_no_program_runs_foreign_code_on_its_own_storage_or_ends_itself(name: str) -> None:
    code = bytes.fromhex(KEPT[name]["bytecode"].removeprefix("0x"))
    assert not {OPCODES[operation] for operation in operations(code) if operation in OPCODES}


def test_the_reading_of_programs_sees_an_opcode_and_not_what_is_pushed() -> None:
    assert list(operations(bytes.fromhex("60f4f461ffff00"))) == [0x60, 0xF4, 0x61, 0x00]


def test_no_file_is_long() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in sources.CONTRACTS.glob("*.sol")}
    assert max(lengths.values()) < LIMIT_LINES


def test_every_contract_file_is_part_of_what_is_shipped(trees: dict[str, Node]) -> None:
    assert set(trees) == {path.name for path in sources.CONTRACTS.glob("*.sol")}


def test_assembly_stands_in_the_stream_and_the_tree_walk_alone(trees: dict[str, Node]) -> None:
    functions = {
        (file, function["name"])
        for file, tree in trees.items()
        for function in nodes(tree, "FunctionDefinition")
        if any(nodes(function, "InlineAssembly"))
    }
    assert functions == {("Sealing.sol", "rootOf"), ("Sealing.sol", "hashPlain")}


def test_assembly_calls_nothing_but_the_hash(trees: dict[str, Node]) -> None:
    calls = list(nodes(trees["Sealing.sol"], "YulFunctionCall"))
    outward = [call for call in calls if "call" in call["functionName"]["name"] and call["arguments"][1:]]
    assert {call["functionName"]["name"] for call in outward} == {"staticcall"}
    assert {call["arguments"][1]["value"] for call in outward} == {"2"}


def test_nothing_is_called_by_hand(trees: dict[str, Node]) -> None:
    names = {node["memberName"] for tree in trees.values() for node in nodes(tree, "MemberAccess")}
    names |= {node["name"] for tree in trees.values() for node in nodes(tree, "Identifier")}
    assert not names & {"call", "delegatecall", "callcode", "staticcall", "send", "selfdestruct", "tx"}


def test_what_is_built_upon_is_known(trees: dict[str, Node]) -> None:
    bases = {
        base["baseName"]["name"]
        for tree in trees.values()
        for contract in nodes(tree, "ContractDefinition")
        for base in contract["baseContracts"]
    }
    assert bases == BASES


def test_no_contract_keeps_an_account_that_could_rule_it(trees: dict[str, Node]) -> None:
    kept = [
        variable
        for tree in trees.values()
        for contract in nodes(tree, "ContractDefinition")
        for variable in contract["nodes"]
        if variable["nodeType"] == "VariableDeclaration" and not variable["constant"]
    ]
    mutable = {
        variable["name"]: variable["typeName"]["nodeType"] for variable in kept if variable["mutability"] == "mutable"
    }
    fixed = {variable["typeDescriptions"]["typeString"] for variable in kept if variable["mutability"] == "immutable"}
    assert mutable and set(mutable.values()) == {"Mapping"}
    assert all(kind.startswith("contract ") for kind in fixed)


def test_no_function_owns_pauses_or_replaces(trees: dict[str, Node]) -> None:
    functions = [node for tree in trees.values() for node in nodes(tree, "FunctionDefinition", "ModifierDefinition")]
    assert not [node["name"] for node in functions if RULER.match(node["name"])]
    assert not [node for node in functions if node.get("kind") in ("fallback", "receive")]
    assert not [node for node in functions if node.get("stateMutability") == "payable"]


def test_a_transfer_is_the_last_thing_that_a_function_does(trees: dict[str, Node]) -> None:
    bodies = {
        function["name"]: function["body"]["statements"]
        for contract in nodes(trees["Marketplace.sol"], "ContractDefinition")
        for function in nodes(contract, "FunctionDefinition")
        if any(called(statement) in TRANSFERS for statement in function["body"]["statements"])
    }
    assert set(bodies) == {"stake", "withdrawCredit", "withdrawPayout", "place", "placeFor", "contest"}
    for name, statements in bodies.items():
        assert [called(statement) in TRANSFERS for statement in statements].index(True) == len(statements) - 1, name


def test_who_calls_a_token_cannot_be_entered_again(trees: dict[str, Node]) -> None:
    functions = list(nodes(trees["Marketplace.sol"], "FunctionDefinition"))
    calling = {
        node["name"] for node in functions if any(called(each) in TRANSFERS for each in node["body"]["statements"])
    }
    modifiers = {node["name"]: [each["modifierName"]["name"] for each in node["modifiers"]] for node in functions}
    assert {name for name, named in modifiers.items() if "nonReentrant" in named} == calling


def test_nothing_is_asked_or_changed_after_an_event(trees: dict[str, Node]) -> None:
    for name in ("Marketplace.sol", "Permits.sol", "Providers.sol", "Licences.sol"):
        for function in nodes(trees[name], "FunctionDefinition"):
            statements = function["body"]["statements"]
            emits = [place for place, each in enumerate(statements) if any(nodes(each, "EmitStatement"))]
            after = statements[emits[0] + 1 :] if emits else []
            assert not any(called(each) == "require" or any(nodes(each, "Assignment")) for each in after), function[
                "name"
            ]


def test_lines_are_counted_without_comments() -> None:
    text = '/* one\n two */\nuint a; // three\n\n/// four\nstring b = "// no comment";\n  /* five */ uint c;\n'
    assert lines.code_lines(text) == 3


def test_the_table_has_every_contract_with_its_size() -> None:
    printed = lines.table(sources.collect(artifact.ENTRIES.values()), dict.fromkeys(KEPT, 1_000_001))
    assert printed.count("1,000,001") == len(KEPT)
    assert all(path.name in printed for path in sources.CONTRACTS.glob("*.sol"))
