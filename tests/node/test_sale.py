"""The two secrets of a sale: made once, kept encrypted."""

from pathlib import Path

import pytest

from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.identity import OrderId
from node.journal import Journal, Mark
from node.sale import make_secrets, read_secrets
from tests.node.examples import ORDER

BOX = SecretBox(b"k" * 32)
OTHER = OrderId(b"x" * 32)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def test_secrets_are_made_once_and_stay(journal: Journal) -> None:
    first = make_secrets(journal, BOX, ORDER, 1)
    assert make_secrets(journal, BOX, ORDER, 2) == first == read_secrets(journal, BOX, ORDER)
    assert len(journal.entries()) == 1
    assert len({first.salts, first.key}) == 2
    assert len(first.salts) == len(first.key) == 32


def test_every_order_has_secrets_of_its_own(journal: Journal) -> None:
    one, other = make_secrets(journal, BOX, ORDER, 1), make_secrets(journal, BOX, OTHER, 1)
    assert len({one.salts, one.key, other.salts, other.key}) == 4


def test_they_are_not_readable_in_the_journal_nor_in_print(journal: Journal, tmp_path: Path) -> None:
    secrets = make_secrets(journal, BOX, ORDER, 1)
    journal.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (secrets.salts, secrets.key):
        assert secret not in kept
        assert secret.hex() not in repr(secrets)


def test_a_key_is_never_revealed_that_was_not_sealed_with(journal: Journal) -> None:
    with pytest.raises(Corrupt, match="restore it from its backup"):
        read_secrets(journal, BOX, ORDER)
    assert journal.entries() == ()


def test_secrets_of_another_order_or_storage_key_do_not_open(journal: Journal) -> None:
    make_secrets(journal, BOX, ORDER, 1)
    with pytest.raises(Corrupt):
        read_secrets(journal, SecretBox(b"j" * 32), ORDER)
    entry = journal.last(ORDER, Mark.SECRETS)
    assert entry is not None
    journal.add(OTHER, Mark.SECRETS, entry.data, 1)
    with pytest.raises(Corrupt):
        read_secrets(journal, BOX, OTHER)


def test_secrets_of_another_length_are_corrupt(journal: Journal) -> None:
    journal.add(ORDER, Mark.SECRETS, BOX.seal(b"agora/sale-secrets/1" + ORDER, b"short"), 1)
    with pytest.raises(Corrupt, match="two secrets"):
        read_secrets(journal, BOX, ORDER)
