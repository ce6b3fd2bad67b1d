"""One sale, made once: sealing takes a while."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from .examples import Sale, sell


@pytest.fixture(scope="session")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Sale:
    """A sale that nobody may change."""
    return sell(tmp_path_factory.mktemp("sold"))


@pytest.fixture
def sale(sold: Sale, tmp_path: Path) -> Sale:
    """The same sale with a folder of its own."""
    folder = tmp_path / "result"
    shutil.copytree(sold.folder, folder)
    return replace(sold, folder=folder)
