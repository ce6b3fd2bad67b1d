"""A provider's admission rules, from its node's settings."""

from collections.abc import Mapping
from pathlib import Path

from marketplace.errors import Invalid
from marketplace.protocol.specification import DEFAULT_GENERATOR
from marketplace.settings import read_table
from node.admission import Rules
from node.synthesis.generators import GENERATORS

GENERATORS_SETTING = "generators"
NAMES = (GENERATORS_SETTING,)


def read_rules(path: Path, environment: Mapping[str, str]) -> Rules:
    """The rules with the list `generators` of the TOML file at `path`, overridden by `AGORA_GENERATORS`, names with commas.

    The default generator alone where neither is set. Raises `Invalid` for a value that is no list of known names.
    """
    values: object = read_table(path).get(GENERATORS_SETTING, [DEFAULT_GENERATOR])
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
    return Rules(generators=frozenset(names))
