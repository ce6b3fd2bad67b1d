"""A provider's rules from its node's settings."""

from pathlib import Path

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.unit import PrivacyUnit
from node.admission import Rules
from node.rules import read_rules
from node.synthesis.generators import GENERATORS

NAMES = frozenset(GENERATORS)


def written(folder: Path, text: str) -> Path:
    path = folder / "node.toml"
    path.write_text(text)
    return path


def test_a_node_serves_the_default_generator_unless_told(tmp_path: Path) -> None:
    assert read_rules(tmp_path / "none.toml", {}) == Rules()
    assert Rules().generators == {"private-marginals"}


def test_the_list_is_read_and_the_environment_overrides_it(tmp_path: Path) -> None:
    listed = ", ".join(f'"{name}"' for name in sorted(NAMES))
    path = written(tmp_path, f"generators = [{listed}]")
    assert read_rules(path, {}).generators == NAMES
    assert read_rules(path, {"AGORA_GENERATORS": "private-marginals "}).generators == {"private-marginals"}


@pytest.mark.parametrize("text", ['"private-marginals"', "[]", '["other"]', "[1]", "[[]]"])
def test_anything_but_a_list_of_known_generators_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match=r"expected .* for the setting generators"):
        read_rules(written(tmp_path, f"generators = {text}"), {})


@pytest.mark.parametrize("given", ["", "other", "private-marginals,"])
def test_so_is_what_the_environment_says(tmp_path: Path, given: str) -> None:
    with pytest.raises(Invalid, match=r"expected .* for the setting generators"):
        read_rules(tmp_path / "none.toml", {"AGORA_GENERATORS": given})


def test_nothing_below_the_floor_is_served_unless_the_provider_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "below_floor = true")
    assert not Rules().below_floor
    assert read_rules(path, {}).below_floor
    assert not read_rules(path, {"AGORA_BELOW_FLOOR": "false"}).below_floor
    assert read_rules(tmp_path / "none.toml", {"AGORA_BELOW_FLOOR": "True"}).below_floor


@pytest.mark.parametrize("text", ['"true"', "1", "[]"])
def test_anything_but_true_or_false_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="expected true or false for the setting below_floor"):
        read_rules(written(tmp_path, f"below_floor = {text}"), {})
    with pytest.raises(Invalid, match="expected true or false"):
        read_rules(tmp_path / "none.toml", {"AGORA_BELOW_FLOOR": "maybe"})


def test_licences_are_those_that_the_operator_declares(tmp_path: Path) -> None:
    path = written(tmp_path, 'licences = ["BUSL-1.1"]')
    assert read_rules(path, {}).licences == {"BUSL-1.1"}
    assert read_rules(path, {}).generators == Rules().generators
    assert read_rules(tmp_path / "none.toml", {}).licences == frozenset()
    assert read_rules(tmp_path / "none.toml", {"AGORA_LICENCES": "BUSL-1.1"}).licences == {"BUSL-1.1"}
    with pytest.raises(Invalid, match=r"expected a list for the setting licences, out of BUSL-1\.1"):
        read_rules(written(tmp_path, 'licences = ["MIT"]'), {})


def test_joint_analyses_are_let_in_by_kind_column_threshold_and_cell(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    plain = read_rules(file, {})
    assert (plain.analyses, plain.columns, plain.threshold_at_least, plain.smallest_cell) == (None, None, 1, 10)
    file.write_text(
        'analyses = ["count"]\ncolumns = []\nthreshold_at_least = 2\nsmallest_cell = 1\njoint_at_once = 2\n'
        'filters = ["sex is male"]\n'
    )
    rules = read_rules(file, {"AGORA_COLUMNS": "age, sex", "AGORA_SMALLEST_CELL": "20"})
    assert (rules.analyses, rules.columns) == (frozenset({"count"}), frozenset({"age", "sex"}))
    assert (rules.threshold_at_least, rules.smallest_cell, rules.joint_at_once) == (2, 20, 2)
    assert (plain.filters, rules.filters) == (frozenset(), frozenset({"sex is male"}))
    assert read_rules(file, {}).columns == frozenset()


def test_only_a_person_everywhere_is_answered_for_unless_the_provider_says_more(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    assert read_rules(file, {}).units == {PrivacyUnit.PERSON}
    both = {"AGORA_PRIVACY_UNITS": "person, person-at-provider"}
    assert read_rules(file, both).units == frozenset(PrivacyUnit)
    written(tmp_path, 'privacy_units = ["person-at-provider", "person"]')
    assert read_rules(tmp_path / "node.toml", {}).units == frozenset(PrivacyUnit)
    assert read_rules(tmp_path / "node.toml", {"AGORA_PRIVACY_UNITS": "person"}).units == {PrivacyUnit.PERSON}
    for wrong in ("row", "", "person-at-provider"):
        with pytest.raises(Invalid, match="setting privacy_units"):
            read_rules(file, {"AGORA_PRIVACY_UNITS": wrong})


@pytest.mark.parametrize(
    "text",
    ['analyses = "count"', "columns = [1]", "threshold_at_least = 0", "joint_at_once = 0", "smallest_cell = true"],
)
def test_a_rule_about_joint_analyses_that_is_none_is_invalid(tmp_path: Path, text: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(text + "\n")
    with pytest.raises(Invalid, match=f"for the setting {text.split()[0]}"):
        read_rules(file, {})
    with pytest.raises(Invalid, match="setting smallest_cell"):
        read_rules(tmp_path / "none.toml", {"AGORA_SMALLEST_CELL": "many"})
