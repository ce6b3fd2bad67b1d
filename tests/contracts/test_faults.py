"""The faults that are planted into the contracts, and what trying one comes to."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.compiling.sources import CONTRACTS
from scripts.faulting.__main__ import row
from scripts.faulting.fault import Fault, Outcome, Verdict
from scripts.faulting.faulty import Compiler
from scripts.faulting.memory import Memory, key
from scripts.faulting.planted import ALL
from scripts.faulting.trial import HOME, attempt_all
from scripts.faulting.workbench import Workbench

FAULT = Fault("Limits.sol", "one", "two", "One is taken for two.", ("marketplace/Publish",))
WITHOUT_RULES = {"IBooks.sol", "IMarketplace.sol", "IPermits.sol", "ILicences.sol", "IProviders.sol", "TestEuro.sol"}


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.sentence)
def test_a_fault_can_be_planted_and_its_tests_are_there(fault: Fault) -> None:
    assert fault.planted() != (CONTRACTS / fault.file).read_text()
    assert fault.tests
    assert all((CONTRACTS / "test" / f"{name}.t.sol").exists() for name in fault.tests)
    assert fault.sentence.endswith(".")


def test_no_two_faults_are_the_same() -> None:
    assert len({fault.sentence for fault in ALL}) == len(ALL)
    assert len({(fault.file, fault.text, fault.replacement) for fault in ALL}) == len(ALL)


def test_every_contract_with_rules_has_faults() -> None:
    with_rules = {path.name for path in CONTRACTS.glob("*.sol")} - WITHOUT_RULES
    assert {fault.file for fault in ALL} == with_rules


def test_the_text_is_replaced() -> None:
    assert FAULT.plant("a one b") == "a two b"


@pytest.mark.parametrize(("source", "times"), [("nil", 0), ("one and one", 2)])
def test_a_text_that_does_not_stand_there_once_is_refused(source: str, times: int) -> None:
    with pytest.raises(ValueError, match=f"expected the text once in Limits.sol, found it {times} times"):
        FAULT.plant(source)


def test_a_fault_whose_text_is_gone_is_told(tmp_path: Path) -> None:
    gone = replace(FAULT, text="this text is in no contract")
    [(fault, outcome)] = attempt_all([gone], home=tmp_path)
    assert (fault, outcome.verdict) == (gone, Verdict.NOT_FOUND)
    assert "found it 0 times" in outcome.words


def test_what_was_caught_is_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "kept" / "caught.json")
    assert memory.find("a") is None
    memory.keep("a", Outcome(Verdict.CAUGHT, "test_One, test_Two"))
    memory.keep("b", Outcome(Verdict.CAUGHT, "test_Three"))
    assert Memory(memory.path).find("a") == Outcome(Verdict.CAUGHT, "test_One, test_Two")
    assert memory.find("b") == Outcome(Verdict.CAUGHT, "test_Three")


@pytest.mark.parametrize("verdict", [Verdict.SURVIVED, Verdict.NOT_TRIED, Verdict.NOT_FOUND])
def test_nothing_else_is_remembered(tmp_path: Path, verdict: Verdict) -> None:
    memory = Memory(tmp_path / "caught.json")
    memory.keep("a", Outcome(verdict, ""))
    assert memory.find("a") is None


def test_what_is_remembered_is_not_tried_again(tmp_path: Path) -> None:
    fault = ALL[0]
    Memory(tmp_path / "caught.json").keep(key(fault), Outcome(Verdict.CAUGHT, "test_One"))
    assert list(attempt_all([fault], home=tmp_path)) == [(fault, Outcome(Verdict.CAUGHT, "test_One"))]
    assert not (tmp_path / "0").exists()


def test_the_key_depends_on_the_fault_and_on_its_tests() -> None:
    other_tests = replace(FAULT, tests=("marketplace/Retire",))
    keys = {key(fault) for fault in (FAULT, replace(FAULT, text="a"), replace(FAULT, replacement="a"), other_tests)}
    assert len(keys) == 4


def test_the_key_depends_on_the_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(FAULT)
    collected = {"contracts/Marketplace.sol": "contract Marketplace {}"}
    monkeypatch.setattr("scripts.faulting.memory.collect", lambda names: collected)
    assert key(FAULT) != before


def test_a_row_says_what_came_of_a_fault() -> None:
    caught = row(FAULT, Outcome(Verdict.CAUGHT, "test_A, test_B, test_C"))
    assert " ".join(caught.split()) == "caught Limits.sol One is taken for two. test_A and 2 more"
    assert row(FAULT, Outcome(Verdict.SURVIVED, "")).startswith("SURVIVED ")


def test_a_copy_is_what_the_contracts_and_their_tests_are_now(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / "bench")
    bench.lay_out()
    (bench.folder / "Stale.sol").write_text("")
    (bench.folder / "Books.sol").write_text("")
    bench.lay_out()
    assert not (bench.folder / "Stale.sol").exists()
    assert (bench.folder / "Books.sol").read_text() == (CONTRACTS / "Books.sol").read_text()
    assert (bench.folder / "test" / "Market.sol").exists()
    assert not (bench.folder / "test" / "campaign").exists()


@pytest.mark.slow
def test_no_fault_survives() -> None:
    outcomes = {fault.sentence: outcome for fault, outcome in attempt_all(ALL)}
    assert len(outcomes) == len(ALL)
    assert not {sentence: each for sentence, each in outcomes.items() if each.verdict is not Verdict.CAUGHT}


@pytest.mark.slow
def test_what_nobody_notices_survives_and_what_does_not_compile_is_not_tried() -> None:
    harmless = Fault(
        "Providers.sol",
        "emit RootAnchored(msg.sender, day, root);",
        "emit RootAnchored(msg.sender, day, root); day;",
        "Nothing is wrong.",
        ("providers/Providers",),
    )
    broken = replace(harmless, replacement="emit RootAnchored(msg.sender, day);", sentence="Nothing compiles.")
    untested = replace(harmless, sentence="Nobody looks.", tests=("providers/Nothing",))
    noticed = replace(harmless, replacement="emit RootAnchored(msg.sender, day, 0);", sentence="The root is lost.")
    bench, compiler = Workbench(HOME / "0"), Compiler()
    bench.lay_out()
    assert bench.failures(["providers/Providers"]) == []
    assert bench.attempt(harmless, compiler) == Outcome(Verdict.SURVIVED, "")
    assert bench.attempt(noticed, compiler).verdict is Verdict.CAUGHT
    assert bench.attempt(broken, compiler).verdict is Verdict.NOT_TRIED
    assert bench.attempt(untested, compiler).verdict is Verdict.NOT_TRIED
    assert bench.failures(["providers/Providers"]) == []
    compiler.close()
