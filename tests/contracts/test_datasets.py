"""Datasets: register, revise and openEpoch."""

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from scripts.benchmarks.market import Market, Terms

from .conftest import Stage, refused
from .doubles import double

REASON, SALT, COMMITMENT, DESCRIPTION = b"\4" * 32, b"\1" * 32, b"\2" * 32, b"\3" * 32
LARGEST = 2**64 - 1


def test_a_registered_dataset_has_its_provider_its_budget_and_version_one(stage: Stage) -> None:
    outcome = stage.rules.send(stage.stranger, "register", SALT, COMMITMENT, DESCRIPTION, 7, 2)
    assert stage.rules.ask("getDataset", outcome.value) == (stage.stranger, 7, 0, 2, 0, 1, 1)
    (event,) = outcome.events
    assert event.name == "DatasetRegistered"
    assert event.values == {
        "dataset": outcome.value,
        "provider": stage.stranger,
        "salt": SALT,
        "commitment": COMMITMENT,
        "description": DESCRIPTION,
        "total": 7,
        "exactTotal": 2,
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
        stage.rules.send(stage.provider, "register", SALT, COMMITMENT, DESCRIPTION, 0, 0)


def test_the_largest_budget_is_taken(stage: Stage) -> None:
    dataset = stage.market.register(total=LARGEST, salt=SALT)
    assert stage.rules.ask("getDataset", dataset).total == LARGEST


def test_a_revised_dataset_is_the_next_version_under_the_same_budget(stage: Stage) -> None:
    stage.placed()
    outcome = stage.rules.send(stage.provider, "revise", stage.dataset, COMMITMENT, DESCRIPTION)
    assert stage.rules.ask("getDataset", stage.dataset) == (stage.provider, 1_000, 100, 0, 0, 2, 1)
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


def test_an_epoch_raises_the_total_and_begins_the_allowance_anew(stage: Stage) -> None:
    dataset = stage.market.register(total=500, salt=SALT, allowance=1)
    terms = exact(stage, dataset)
    permit = stage.market.grant(terms.offer)
    stage.placed(1, terms, permit=permit)
    with stage.refused("AllowanceExceeded", dataset, 1):
        stage.placed(2, terms, permit=permit)
    outcome = stage.rules.send(stage.provider, "openEpoch", dataset, 700, 2, REASON)
    (event,) = outcome.events
    assert event.name == "EpochOpened"
    assert event.values == {"dataset": dataset, "epoch": 2, "total": 700, "exactTotal": 3, "reason": REASON}
    assert stage.rules.ask("getDataset", dataset) == (stage.provider, 700, 0, 3, 1, 1, 2)
    stage.placed(3, terms, permit=permit)
    stage.placed(4, terms, permit=permit)
    with stage.refused("AllowanceExceeded", dataset, 3):
        stage.placed(5, terms, permit=permit)


def test_an_allowance_that_was_not_used_does_not_go_over(stage: Stage) -> None:
    dataset = stage.market.register(salt=SALT, allowance=9)
    stage.rules.send(stage.provider, "openEpoch", dataset, 1_000_000, 1, REASON)
    assert stage.rules.ask("getDataset", dataset).exactTotal == 1


def test_an_epochs_total_never_falls(stage: Stage) -> None:
    for total in (0, 999):
        with stage.refused("OutOfRange", "total", total, 1_000, LARGEST):
            stage.rules.send(stage.provider, "openEpoch", stage.dataset, total, 0, REASON)
    for total in (1_000, LARGEST):
        stage.rules.send(stage.provider, "openEpoch", stage.dataset, total, 0, REASON)
        assert stage.rules.ask("getDataset", stage.dataset).total == total


def test_an_allowance_fits_with_what_was_used(stage: Stage) -> None:
    dataset = stage.market.register(salt=SALT, allowance=1)
    terms = exact(stage, dataset)
    life = stage.placed(1, terms, permit=stage.market.grant(terms.offer))
    with stage.refused("OutOfRange", "allowance", 2**32, 0, 2**32 - 1):
        stage.rules.send(stage.provider, "openEpoch", dataset, 1_000_000, 2**32 - 1, REASON)
    stage.rules.send(stage.provider, "openEpoch", dataset, 1_000_000, 2**32 - 2, REASON)
    assert stage.rules.ask("getDataset", dataset).exactTotal == 2**32 - 1
    life.decline()


def test_only_its_provider_opens_an_epoch(stage: Stage) -> None:
    with stage.refused("NotTheProvider", stage.dataset, stage.stranger):
        stage.rules.send(stage.stranger, "openEpoch", stage.dataset, 2_000, 0, REASON)
    with stage.refused("UnknownDataset", SALT):
        stage.rules.send(stage.provider, "openEpoch", SALT, 2_000, 0, REASON)


def test_epoch_65535_is_the_last() -> None:
    market = Market(rules_of=double("OpenBooks"))
    dataset = market.register()
    market.rules.send(market.provider, "setEpoch", dataset, 65_534)
    market.rules.send(market.provider, "openEpoch", dataset, 1_000_000, 0, REASON)
    with refused(market.evm, "OutOfRange", "epoch", 65_536, 2, 65_535):
        market.rules.send(market.provider, "openEpoch", dataset, 1_000_000, 0, REASON)


def test_a_released_exact_order_gives_its_place_back_once(stage: Stage) -> None:
    dataset = stage.market.register(salt=SALT, allowance=1)
    terms = exact(stage, dataset)
    permit = stage.market.grant(terms.offer)
    life = stage.placed(1, terms, permit=permit)
    life.decline()
    with stage.refused("AllowanceExceeded", dataset, 1):
        stage.placed(2, terms, permit=permit)
    (event,) = life.release().events
    assert (event.name, event.values) == ("ExactReleased", {"order": life.id, "dataset": dataset})
    assert stage.rules.ask("getDataset", dataset).exactUsed == 0
    with stage.refused("AlreadyReleased", life.id, 0):
        life.release()
    stage.placed(3, terms, permit=permit)


def test_an_exact_order_takes_no_rho(stage: Stage) -> None:
    dataset = stage.market.register(salt=SALT, allowance=1)
    terms = exact(stage, dataset)
    stage.placed(1, terms, permit=stage.market.grant(terms.offer))
    assert stage.rules.ask("getDataset", dataset)[1:5] == (1_000_000, 0, 1, 1)


def exact(stage: Stage, dataset: bytes) -> Terms:
    """An exact offer on a dataset."""
    return stage.offer(stage.market.permitted(guarantee=1, delta=0), stage.market.member(dataset, rhoMicro=0))


def test_what_was_never_there_is_all_zero(stage: Stage) -> None:
    nobody = "0x" + "00" * 20
    assert stage.rules.ask("getDataset", SALT) == (nobody, 0, 0, 0, 0, 0, 0)
    assert stage.rules.ask("getOffer", SALT) == (False, False, 0, 0)
    assert stage.rules.ask("getOrder", SALT) == (0, 0, 0, 0, 0, 0, 0, bytes(32))
    assert stage.rules.ask("getCredit", stage.stranger, stage.stranger) == 0
    assert stage.rules.ask("getWithdrawn", SALT, 0) == 0
