from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.mpc.plan import Limits
from tests.mpc.hospitals import PATIENT, Hospitals, Identity, make_identities


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Identity, ...]:
    return make_identities(tmp_path_factory.mktemp("identities"), 5)


@pytest.fixture
def hospitals(identities: tuple[Identity, ...], tmp_path: Path) -> Iterator[Callable[..., Hospitals]]:
    """Makes parties, and ends them after the test."""
    made: list[Hospitals] = []

    def make(count: int = 3, limits: Limits = PATIENT) -> Hospitals:
        folder = tmp_path / f"hospitals-{len(made)}"
        folder.mkdir()
        made.append(Hospitals(folder, identities[:count], limits))
        return made[-1]

    yield make
    for one in made:
        one.close()
