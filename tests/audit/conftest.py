"""One sale, made once: sealing takes a while."""

from copy import copy
from dataclasses import replace

import pytest

from ..certificate.examples import Sale, sell


@pytest.fixture(scope="session")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Sale:
    """A sale up to the reveal of its key, that nobody may change."""
    return sell(tmp_path_factory.mktemp("sold"))


@pytest.fixture
def sale(sold: Sale) -> Sale:
    """The same sale with a history of its own."""
    history = copy(sold.history)
    history.events = list(sold.history.events)
    return replace(sold, history=history)
