"""A provider's admission rules, from its node's settings."""

from collections.abc import Mapping
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.specification import DEFAULT_GENERATOR
from marketplace.settings import read_table
from node.admission import Rules
from node.synthesis.generators import GENERATORS

GENERATORS_SETTING, LICENCES_SETTING, BELOW_FLOOR_SETTING = "generators", "licences", "below_floor"
NAMES = (GENERATORS_SETTING, LICENCES_SETTING, BELOW_FLOOR_SETTING)
_TRUTH = {"true": True, "false": False}


def read_rules(path: Path, environment: Mapping[str, str]) -> Rules:
    """The rules with the lists `generators` and `licences` of the TOML file at `path`, overridden by `AGORA_GENERATORS` and
    `AGORA_LICENCES`, names with commas, and with `below_floor`, true or false, overridden by `AGORA_BELOW_FLOOR`.

    The default generator alone, no licence, and nothing below the floor, where they are not set. `licences`: those that the
    operator says it holds, as in BUSL-1.1, and so may sell what a generator under such a licence makes. Raises `Invalid` for
    a value that is no list of known names, or neither true nor false.
    """
    table = read_table(path)
    generators = _names(table, environment, GENERATORS_SETTING, [DEFAULT_GENERATOR], frozenset(GENERATORS))
    if not generators:
        raise Invalid(f"expected at least one generator for the setting {GENERATORS_SETTING}, got none")
    known = frozenset(entry.licence for entry in GENERATORS.values() if entry.licence)
    licences = _names(table, environment, LICENCES_SETTING, [], known)
    return Rules(generators=generators, licences=licences, below_floor=_below_floor(table, environment))


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
