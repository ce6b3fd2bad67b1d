"""A provider's admission rules, from its node's settings."""

from collections.abc import Mapping
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.specification import DEFAULT_GENERATOR
from marketplace.settings import read_table
from node.admission import Rules
from node.synthesis.generators import GENERATORS

GENERATORS_SETTING, BELOW_FLOOR_SETTING = "generators", "below_floor"
NAMES = (GENERATORS_SETTING, BELOW_FLOOR_SETTING)
_TRUTH = {"true": True, "false": False}


def read_rules(path: Path, environment: Mapping[str, str]) -> Rules:
    """The rules with the list `generators` of the TOML file at `path`, overridden by `AGORA_GENERATORS`, names with commas,
    and with `below_floor`, true or false, overridden by `AGORA_BELOW_FLOOR`.

    The default generator alone, and nothing below the floor, where they are not set. Raises `Invalid` for a value that is
    no list of known names, or neither true nor false.
    """
    table = read_table(path)
    return Rules(generators=_generators(table, environment), below_floor=_below_floor(table, environment))


def _below_floor(table: Mapping[str, object], environment: Mapping[str, str]) -> bool:
    given = environment.get(f"AGORA_{BELOW_FLOOR_SETTING.upper()}")
    value = table.get(BELOW_FLOOR_SETTING, False) if given is None else _TRUTH.get(given.strip().lower())
    if not isinstance(value, bool):
        raise Invalid(f"expected true or false for the setting {BELOW_FLOOR_SETTING}; without it nothing is served so")
    return value


def _generators(table: Mapping[str, object], environment: Mapping[str, str]) -> frozenset[str]:
    values: object = table.get(GENERATORS_SETTING, [DEFAULT_GENERATOR])
    given = environment.get(f"AGORA_{GENERATORS_SETTING.upper()}")
    names = values if given is None else [name.strip() for name in given.split(",")]
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str) and name in GENERATORS for name in names)
    ):
        raise Invalid(
            f"expected a list of generators for the setting {GENERATORS_SETTING}, out of {', '.join(GENERATORS)}"
        )
    return frozenset(names)
