"""The environment that a certificate names."""

import re
import shutil
from pathlib import Path

import pytest

import marketplace
import node
from node import environment


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both packages in another folder, which the environment is told from."""
    for package in (marketplace, node):
        shutil.copytree(
            Path(package.__path__[0]), tmp_path / package.__name__, ignore=shutil.ignore_patterns("__pycache__")
        )
        monkeypatch.setattr(package, "__path__", [str(tmp_path / package.__name__)])
    return tmp_path


def test_the_environment_is_the_same_in_one_process_and_says_what_runs() -> None:
    found = environment.this_environment()
    assert found == environment.this_environment()
    assert re.fullmatch("[0-9a-f]{64}", found.code)
    assert re.fullmatch("[0-9a-f]{64}", found.dependencies)
    assert found.python.startswith("CPython 3.")


def test_the_place_of_the_code_does_not_matter_but_every_byte_of_it(copies: Path) -> None:
    here = environment._code()
    assert here == environment.this_environment().code
    module = copies / "node" / "work.py"
    module.write_bytes(module.read_bytes() + b"\n")
    assert environment._code() != here


def test_a_module_that_moves_is_other_code(copies: Path) -> None:
    here = environment._code()
    (copies / "node" / "work.py").rename(copies / "node" / "play.py")
    assert environment._code() != here
