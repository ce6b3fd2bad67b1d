"""Identifiers beside a snapshot: none unless the provider says so, sealed for one version, and of nobody who opted out."""

from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.secretbox import SecretBox
from node.vault.access import Access, day_of
from node.vault.bounding import bytes_of, identity_of
from node.vault.register import Snapshot
from node.vault.vault import Vault
from tests.vault.examples import ORDER, OTHER_ORDER, PERSONLESS, VISITS, Box, visits, written
from tests.vault.linked import HIDDEN, LIVER, liver_records

KEY, OTHER_KEY = SecretBox(bytes(range(32))), SecretBox(bytes(range(1, 33)))
NAMED = visits().replace("\np", "\nhush-p")


def taken(folder: Path, keep: SecretBox | None = KEY, text: str = NAMED) -> tuple[Vault, Snapshot]:
    vault = Vault(folder / "vault", Box(), clock=lambda: 0)
    snapshot = vault.take_in(written(folder / "r.csv", text), VISITS, identifiers=keep)
    vault.account.raise_total(snapshot.dataset, 100)
    return vault, snapshot


def sealed(folder: Path) -> Path:
    (path,) = (folder / "vault" / "identifiers").iterdir()
    return path


def test_unless_it_is_said_no_identifier_is_kept(tmp_path: Path) -> None:
    vault, snapshot = taken(tmp_path, keep=None)
    with pytest.raises(Corrupt, match="got none; revise"):
        vault.roster(ORDER, snapshot.dataset, 1, KEY)
    vault.close()
    assert not (tmp_path / "vault" / "identifiers").exists()
    for path in (tmp_path / "vault").rglob("*"):
        assert path.is_dir() or b"hush-p" not in path.read_bytes()


def test_what_is_kept_stands_nowhere_in_the_clear(tmp_path: Path) -> None:
    vault, _ = taken(tmp_path)
    vault.close()
    assert sealed(tmp_path).stat().st_mode & 0o777 == 0o600
    for path in (tmp_path / "vault").rglob("*"):
        assert path.is_dir() or b"hush-p" not in path.read_bytes()


def test_every_line_of_a_draw_has_the_identifier_of_its_person(tmp_path: Path) -> None:
    vault, snapshot = taken(tmp_path)
    roster = vault.roster(ORDER, snapshot.dataset, 1, KEY)
    draw = vault.draw(ORDER, snapshot.dataset, 1, 50)
    identifiers = roster.of(draw)
    ages = draw.rows.column("age").to_pylist()
    person_of = {line.split(",")[2]: line.split(",")[0] for line in NAMED.splitlines()[1:]}
    assert len(identifiers) == draw.rows.num_rows == 53
    assert [person_of[f"{age / 2:g}" if age % 2 else f"{age / 2}"] for age in ages] == list(identifiers)
    assert "hush" not in repr(roster)


def test_of_a_linked_schema_every_person_has_its_identifier(tmp_path: Path) -> None:
    path, further = liver_records(tmp_path)
    with Vault(tmp_path / "vault", Box()) as vault:
        snapshot = vault.take_in(path, LIVER, further=further, identifiers=KEY)
        vault.account.raise_total(snapshot.dataset, 100)
        roster, draw = vault.roster(ORDER, snapshot.dataset, 1, KEY), vault.draw(ORDER, snapshot.dataset, 1, 50)
        identifiers, secret = roster.of(draw), vault._register.population(snapshot.dataset).secret
    assert len(set(identifiers)) == len(identifiers) == snapshot.persons == draw.rows.num_rows
    assert all(one.startswith(HIDDEN) for one in identifiers)
    assert [identity_of(one, secret) for one in identifiers] == bytes_of(draw.identities)


def test_who_opts_out_is_not_told_any_more_and_who_comes_back_is(tmp_path: Path) -> None:
    vault, snapshot = taken(tmp_path)
    vault.note_opt_outs(snapshot.dataset, ["hush-p2", "hush-p7"], out=True, at_s=1)
    told = vault.roster(ORDER, snapshot.dataset, 1, KEY).of(vault.draw(ORDER, snapshot.dataset, 1, 50))
    assert len(set(told)) == 38 and not {"hush-p2", "hush-p7"} & set(told)
    vault.note_opt_outs(snapshot.dataset, ["hush-p2"], out=False, at_s=2)
    again = vault.roster(OTHER_ORDER, snapshot.dataset, 1, KEY).of(vault.draw(OTHER_ORDER, snapshot.dataset, 1, 50))
    assert set(again) - set(told) == {"hush-p2"}


def test_a_revision_keeps_its_own_identifiers_and_not_those_before(tmp_path: Path) -> None:
    vault, first = taken(tmp_path)
    before = sealed(tmp_path).read_bytes()
    vault.revise(
        first.dataset, written(tmp_path / "2.csv", visits(50).replace("\np", "\nhush-p")), VISITS, identifiers=KEY
    )
    assert sealed(tmp_path).read_bytes() != before
    with pytest.raises(Corrupt, match="version 1, got a file that does not open"):
        vault.roster(ORDER, first.dataset, 1, KEY)
    told = vault.roster(ORDER, first.dataset, 2, KEY).of(vault.draw(ORDER, first.dataset, 2, 50))
    assert "hush-p49" in told
    vault.revise(first.dataset, tmp_path / "2.csv", VISITS)
    assert list((tmp_path / "vault" / "identifiers").iterdir()) == []


def test_what_is_forgotten_is_gone_and_the_records_are_not(tmp_path: Path) -> None:
    vault, snapshot = taken(tmp_path)
    vault.forget_identifiers(snapshot.dataset)
    assert list((tmp_path / "vault" / "identifiers").iterdir()) == []
    with pytest.raises(Corrupt, match="got none"):
        vault.roster(ORDER, snapshot.dataset, 1, KEY)
    assert vault.draw(ORDER, snapshot.dataset, 1, 50).rows.num_rows == 53
    vault.forget_identifiers(snapshot.dataset)
    with pytest.raises(Invalid, match="a dataset of this vault"):
        vault.forget_identifiers(bytes(32))


@pytest.mark.parametrize("harm", ["key", "cut", "empty", "flipped", "other dataset", "other format"])
def test_what_is_not_as_it_was_kept_is_corrupt_before_anything_is_debited(tmp_path: Path, harm: str) -> None:
    vault, snapshot = taken(tmp_path)
    path = sealed(tmp_path)
    whole = path.read_bytes()
    if harm == "other dataset":
        vault.take_in(written(tmp_path / "o.csv", NAMED), VISITS, identifiers=KEY)
        (other,) = set(path.parent.iterdir()) - {path}
        path.write_bytes(other.read_bytes())
    changed = {
        "cut": whole[:-1],
        "empty": b"",
        "flipped": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        "other format": b"agora/secretbox/2\n" + whole[18:],
    }
    if harm in changed:
        path.write_bytes(changed[harm])
    with pytest.raises(Corrupt, match="does not open as that; revise the dataset") as error:
        vault.roster(ORDER, snapshot.dataset, 1, OTHER_KEY if harm == "key" else KEY)
    assert "hush" not in str(error.value) and str(tmp_path) not in str(error.value)
    assert vault.account.spent(snapshot.dataset) == 0


def test_identifiers_of_other_persons_under_the_right_key_are_corrupt(tmp_path: Path) -> None:
    vault, snapshot = taken(tmp_path)
    opened = KEY.open(label_of(snapshot), sealed(tmp_path).read_bytes())
    fewer = opened.replace(b'"hush-p7"', b'"hush-p8"')
    sealed(tmp_path).write_bytes(KEY.seal(label_of(snapshot), fewer))
    with pytest.raises(Corrupt, match="those of other persons"):
        vault.roster(ORDER, snapshot.dataset, 1, KEY)
    others = opened.replace(b'"hush-p7"', b'"hush-q7"')
    sealed(tmp_path).write_bytes(KEY.seal(label_of(snapshot), others))
    roster, draw = vault.roster(ORDER, snapshot.dataset, 1, KEY), vault.draw(ORDER, snapshot.dataset, 1, 50)
    with pytest.raises(Corrupt, match="an identifier for every person"):
        roster.of(draw)


def label_of(snapshot: Snapshot) -> bytes:
    return b"agora/identifiers/1" + snapshot.dataset + snapshot.commitment + snapshot.version.to_bytes(8, "big")


def test_rows_without_a_person_column_have_no_identifiers_to_keep(tmp_path: Path) -> None:
    with Vault(tmp_path / "vault", Box()) as vault, pytest.raises(Invalid, match="a person column"):
        vault.take_in(written(tmp_path / "r.csv", NAMED), PERSONLESS, identifiers=KEY)


def test_keeping_opening_and_forgetting_are_in_the_access_log(tmp_path: Path) -> None:
    vault, snapshot = taken(tmp_path)
    vault.roster(ORDER, snapshot.dataset, 1, KEY)
    vault.forget_identifiers(snapshot.dataset)
    lines = [(line.access, line.dataset, line.version, line.order) for line in vault.access.day(day_of(0)).entries]
    assert lines[1:] == [
        (Access.IDENTIFIERS_KEPT, snapshot.dataset, 1, b""),
        (Access.IDENTIFIERS_OPENED, snapshot.dataset, 1, ORDER),
        (Access.IDENTIFIERS_FORGOTTEN, snapshot.dataset, 0, b""),
    ]
