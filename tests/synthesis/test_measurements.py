from dataclasses import replace

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from node.synthesis.measurements import Measurements, spent_rho_micro
from tests.synthesis.examples import RHO_MICRO, WIDE, measured, rows_of

MEASURED = measured(WIDE, rows_of(WIDE, 300))


def test_measurements_survive_the_journal() -> None:
    assert Measurements.decode(MEASURED.encode()) == MEASURED


def test_the_total_is_recomputed_from_noise_alone() -> None:
    assert spent_rho_micro(MEASURED.stages) == RHO_MICRO
    louder = replace(MEASURED.histograms[0], sigma2=MEASURED.histograms[0].sigma2 / 4)
    assert spent_rho_micro([louder]) >= 4 * (MEASURED.histograms[0].rho_micro - 1)


def test_every_stage_states_columns_price_sensitivity_and_noise() -> None:
    document = canonical.decode(MEASURED.encode(), "measurements", 1)
    assert {"stage", "columns", "rho_micro", "sensitivity", "sigma2", "counts"} == set(document["histograms"][0])
    assert {"stage", "columns", "rho_micro", "sensitivity", "epsilon"} == set(document["choices"][0])


def test_a_price_that_is_not_the_cost_is_corrupt() -> None:
    cheap = replace(MEASURED.histograms[0], rho_micro=1)
    with pytest.raises(Corrupt, match="cost what its noise says"):
        Measurements.decode(replace(MEASURED, histograms=(cheap,)).encode())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("choices"),
        lambda d: d.update(extra=1),
        lambda d: d["histograms"][0].update(counts="many"),
        lambda d: d["histograms"][0].update(counts=[True]),
        lambda d: d["histograms"][0].update(sigma2="1/0"),
        lambda d: d["histograms"][0].update(sigma2="2/2"),
        lambda d: d["histograms"][0].update(sigma2="0"),
        lambda d: d["choices"][0].update(columns="age"),
        lambda d: d["choices"][0].update(extra=1),
        lambda d: d.update(generator=1),
        lambda d: d.update(histograms=[1]),
    ],
)
def test_other_parts_are_corrupt(spoil) -> None:  # type: ignore[no-untyped-def]
    document = canonical.decode(MEASURED.encode(), "measurements", 1)
    spoil(document)
    with pytest.raises(Corrupt):
        Measurements.decode(canonical.encode(document))
