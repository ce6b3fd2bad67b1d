"""A provider's admission rules, from its node's settings."""

from collections.abc import Mapping
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.specification import DEFAULT_GENERATOR
from marketplace.protocol.unit import PrivacyUnit, unit_of
from marketplace.settings import read_table
from node.admission import Rules
from node.synthesis.generators import GENERATORS

GENERATORS_SETTING, LICENCES_SETTING, BELOW_FLOOR_SETTING = "generators", "licences", "below_floor"
ANALYSES_SETTING, COLUMNS_SETTING, UNITS_SETTING = "analyses", "columns", "privacy_units"
THRESHOLD_SETTING, CELL_SETTING = "threshold_at_least", "smallest_cell"
FILTERS_SETTING, AT_ONCE_SETTING = "filters", "joint_at_once"
NAMES = (
    GENERATORS_SETTING,
    LICENCES_SETTING,
    BELOW_FLOOR_SETTING,
    ANALYSES_SETTING,
    COLUMNS_SETTING,
    UNITS_SETTING,
    THRESHOLD_SETTING,
    CELL_SETTING,
    FILTERS_SETTING,
    AT_ONCE_SETTING,
)
_TRUTH = {"true": True, "false": False}


def read_rules(path: Path, environment: Mapping[str, str]) -> Rules:
    """The rules with the lists `generators` and `licences` of the TOML file at `path`, overridden by `AGORA_GENERATORS` and
    `AGORA_LICENCES`, names with commas, and with `below_floor`, true or false, overridden by `AGORA_BELOW_FLOOR`.

    The default generator alone, no licence, and nothing below the floor, where they are not set. `licences`: those that the
    operator says it holds, as in BUSL-1.1, and so may sell what a generator under such a licence makes. For joint analyses the
    lists `analyses`, `columns` and `filters`, and the numbers `threshold_at_least`, `smallest_cell` and `joint_at_once`,
    overridden alike, mean what they mean in `Rules`, and so does `privacy_units`, one person everywhere alone where it is not
    set. Raises `Invalid` for a value that is no list of known names, neither true nor false, or no number.
    """
    table = read_table(path)
    generators = _names(table, environment, GENERATORS_SETTING, [DEFAULT_GENERATOR], frozenset(GENERATORS))
    if not generators:
        raise Invalid(f"expected at least one generator for the setting {GENERATORS_SETTING}, got none")
    known = frozenset(entry.licence for entry in GENERATORS.values() if entry.licence)
    licences = _names(table, environment, LICENCES_SETTING, [], known)
    plain = Rules()
    return Rules(
        generators=generators,
        licences=licences,
        below_floor=_below_floor(table, environment),
        analyses=_some(table, environment, ANALYSES_SETTING),
        columns=_some(table, environment, COLUMNS_SETTING),
        units=_units(table, environment),
        threshold_at_least=_number(table, environment, THRESHOLD_SETTING, plain.threshold_at_least),
        filters=_some(table, environment, FILTERS_SETTING) or frozenset(),
        smallest_cell=_number(table, environment, CELL_SETTING, plain.smallest_cell),
        joint_at_once=_number(table, environment, AT_ONCE_SETTING, plain.joint_at_once),
    )


def _units(table: Mapping[str, object], environment: Mapping[str, str]) -> frozenset[PrivacyUnit]:
    unset, known = [PrivacyUnit.PERSON.word], frozenset(unit.word for unit in PrivacyUnit)
    units = frozenset(map(unit_of, _names(table, environment, UNITS_SETTING, unset, known)))
    if PrivacyUnit.PERSON not in units:
        raise Invalid(
            f"expected {unset[0]} among those of the setting {UNITS_SETTING}, which every offer may state; add it"
        )
    return units


def _some(table: Mapping[str, object], environment: Mapping[str, str], setting: str) -> frozenset[str] | None:
    """The names that are let in; None where the setting is not there, and all are."""
    given = environment.get(f"AGORA_{setting.upper()}")
    if given is None and setting not in table:
        return None
    names: object = table.get(setting) if given is None else [name.strip() for name in given.split(",") if name.strip()]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid(f"expected a list of names for the setting {setting}; without it all are let in")
    return frozenset(names)


def _number(table: Mapping[str, object], environment: Mapping[str, str], setting: str, unset: int) -> int:
    given = environment.get(f"AGORA_{setting.upper()}")
    value = table.get(setting, unset) if given is None else int(given) if given.isascii() and given.isdigit() else None
    if type(value) is not int or value < 1:
        raise Invalid(f"expected a whole number of 1 or more for the setting {setting}; {unset} without it")
    return value


def _below_floor(table: Mapping[str, object], environment: Mapping[str, str]) -> bool:
    given = environment.get(f"AGORA_{BELOW_FLOOR_SETTING.upper()}")
    value = table.get(BELOW_FLOOR_SETTING, False) if given is None else _TRUTH.get(given.strip().lower())
    if not isinstance(value, bool):
        raise Invalid(f"expected true or false for the setting {BELOW_FLOOR_SETTING}; without it nothing is served so")
    return value


def _names(
    table: Mapping[str, object], environment: Mapping[str, str], setting: str, unset: list[str], known: frozenset[str]
) -> frozenset[str]:
    given = environment.get(f"AGORA_{setting.upper()}")
    names: object = table.get(setting, unset) if given is None else [name.strip() for name in given.split(",")]
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise Invalid(f"expected a list for the setting {setting}, out of {', '.join(sorted(known)) or 'none'}")
    return frozenset(names)
