"""The table of generators."""

import subprocess
import sys

import pytest

from marketplace.errors import Invalid
from marketplace.protocol.specification import DEFAULT_GENERATOR, GENERATOR
from node.synthesis.generators import GENERATORS, generator_of
from node.synthesis.marginals import PrivateMarginals


def test_the_default_generator_is_private_marginals() -> None:
    assert isinstance(generator_of(DEFAULT_GENERATOR), PrivateMarginals)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_name_can_be_asked_for_and_has_a_generator(name: str) -> None:
    assert GENERATOR.fullmatch(name)
    made = generator_of(name)
    assert all(callable(getattr(made, part)) for part in ("check", "measure", "decode", "synthesise"))


def test_a_name_without_a_generator_is_refused() -> None:
    with pytest.raises(Invalid, match=r"expected one of the generators private-marginals.*, got 'other'"):
        generator_of("other")


def test_the_table_itself_loads_no_heavy_library() -> None:
    asked = "import sys, node.admission; print('torch' in sys.modules, 'sdv' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
