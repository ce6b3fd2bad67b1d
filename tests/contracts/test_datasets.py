"""Datasets: register and revise."""

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from scripts.benchmarks.market import Market

from .conftest import Stage, refused
from .doubles import double

SALT, COMMITMENT, DESCRIPTION = b"\1" * 32, b"\2" * 32, b"\3" * 32
LARGEST = 2**64 - 1


def test_a_registered_dataset_has_its_provider_its_budget_and_version_one(stage: Stage) -> None:
    outcome = stage.rules.send(stage.stranger, "register", SALT, COMMITMENT, DESCRIPTION, 7)
    assert stage.rules.ask("getDataset", outcome.value) == (stage.stranger, 7, 0, 1)
    (event,) = outcome.events
    assert event.name == "DatasetRegistered"
    assert event.values == {
        "dataset": outcome.value,
        "provider": stage.stranger,
        "salt": SALT,
        "commitment": COMMITMENT,
        "description": DESCRIPTION,
        "total": 7,
    }


def test_the_id_names_chain_contract_provider_and_salt(stage: Stage) -> None:
    parts = (stage.market.evm.chain_id, stage.rules.address, stage.provider, SALT)
    expected = keccak(encode(["uint256", "address", "address", "bytes32"], parts))
    assert stage.rules.ask("datasetId", stage.provider, SALT) == expected
    assert stage.market.register(salt=SALT) == expected


def test_two_providers_may_use_the_same_salt(stage: Stage) -> None:
    assert stage.market.register(salt=SALT) != stage.market.register(salt=SALT, sender=stage.stranger)


def test_a_salt_is_used_once_by_one_provider(stage: Stage) -> None:
    dataset = stage.market.register(salt=SALT)
    with stage.refused("DatasetExists", dataset):
        stage.market.register(salt=SALT)


def test_a_budget_of_zero_is_refused(stage: Stage) -> None:
    with stage.refused("OutOfRange", "total", 0, 1, LARGEST):
        stage.rules.send(stage.provider, "register", SALT, COMMITMENT, DESCRIPTION, 0)


def test_the_largest_budget_is_taken(stage: Stage) -> None:
    dataset = stage.market.register(total=LARGEST, salt=SALT)
    assert stage.rules.ask("getDataset", dataset).total == LARGEST


def test_a_revised_dataset_is_the_next_version_under_the_same_budget(stage: Stage) -> None:
    stage.placed()
    outcome = stage.rules.send(stage.provider, "revise", stage.dataset, COMMITMENT, DESCRIPTION)
    assert stage.rules.ask("getDataset", stage.dataset) == (stage.provider, 1_000, 100, 2)
    (event,) = outcome.events
    assert event.name == "DatasetRevised"
    assert event.values == {
        "dataset": stage.dataset,
        "version": 2,
        "commitment": COMMITMENT,
        "description": DESCRIPTION,
    }


def test_only_its_provider_revises_a_dataset(stage: Stage) -> None:
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        stage.rules.send(stage.stranger, "revise", stage.dataset, COMMITMENT, DESCRIPTION)


def test_an_unknown_dataset_is_not_revised(stage: Stage) -> None:
    with stage.refused("UnknownDataset", SALT):
        stage.rules.send(stage.provider, "revise", SALT, COMMITMENT, DESCRIPTION)


def test_version_65535_is_the_last() -> None:
    market = Market(rules_of=double("OpenBooks"))
    dataset = market.register()
    market.rules.send(market.provider, "setVersion", dataset, 65_534)
    market.rules.send(market.provider, "revise", dataset, COMMITMENT, DESCRIPTION)
    with refused(market.evm, "OutOfRange", "version", 65_536, 2, 65_535):
        market.rules.send(market.provider, "revise", dataset, COMMITMENT, DESCRIPTION)


def test_what_was_never_there_is_all_zero(stage: Stage) -> None:
    nobody = "0x" + "00" * 20
    assert stage.rules.ask("getDataset", SALT) == (nobody, 0, 0, 0)
    assert stage.rules.ask("getOffer", SALT) == (False, False, 0, 0)
    assert stage.rules.ask("getOrder", SALT) == (0, 0, 0, 0, 0, bytes(32))
    assert stage.rules.ask("getCredit", stage.stranger, stage.stranger) == 0
    assert stage.rules.ask("getWithdrawn", SALT, 0) == 0
