from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.certificate.certificate import ASSUMPTIONS, Stage, StageKind
from marketplace.certificate.context import sealing_context
from marketplace.certificate.epsilon import quoted_epsilon
from marketplace.errors import Invalid
from marketplace.protocol.identity import OrderId
from marketplace.protocol.rho import epsilon_of

from .examples import STAGES, Sale

WHOLE = st.integers(1, 10**6)


@given(WHOLE, WHOLE, WHOLE)
def test_gaussian_noise_costs_the_square_of_sensitivity_over_twice_the_variance_rounded_up(
    sensitivity: int, over: int, under: int
) -> None:
    stage = Stage("x", StageKind.GAUSSIAN, 1, str(sensitivity), f"{over}/{under}")
    rho = Fraction(sensitivity**2 * under, 2 * over)
    assert Fraction(stage.cost_micro() - 1, 10**6) < rho <= Fraction(stage.cost_micro(), 10**6)


@given(WHOLE, WHOLE)
def test_a_choice_costs_the_square_of_its_epsilon_over_eight_rounded_up(over: int, under: int) -> None:
    stage = Stage("x", StageKind.EXPONENTIAL, 1, "3", f"{over}/{under}")
    rho = Fraction(over**2, 8 * under**2)
    assert Fraction(stage.cost_micro() - 1, 10**6) < rho <= Fraction(stage.cost_micro(), 10**6)


@pytest.mark.parametrize("part", ["sensitivity", "parameter"])
@pytest.mark.parametrize(
    "value", ["", "x", "1.5", "-1", "1e9", "1e99999999999", "1/0", "1/2/3", " 1", "1_0", "nan", "0", "0/5"]
)
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.kind)
def test_a_figure_that_is_no_fraction_above_zero_costs_nothing_that_can_be_said(
    stage: Stage, part: str, value: str
) -> None:
    with pytest.raises(Invalid, match=f"in the stage '{stage.name}'"):
        replace(stage, **{part: value}).cost_micro()


@given(st.integers(0, 10**8), st.integers(1, 10**13))
def test_a_quoted_epsilon_is_rounded_up_to_six_digits(rho_micro: int, delta_atto: int) -> None:
    quoted, exact = Fraction(quoted_epsilon(rho_micro, delta_atto)), epsilon_of(rho_micro, delta_atto / 10**18)
    assert 0 <= quoted - Fraction(exact) < Fraction(2, 10**6)
    assert len(quoted_epsilon(rho_micro, delta_atto).split(".")[1]) == 6


def test_a_certificate_says_what_it_assumes(sold: Sale) -> None:
    certificate = sold.manifest.certificate
    assert certificate.privacy.assumptions == ASSUMPTIONS
    assert "the provider's signed word" in certificate.encode().decode()
    mechanism = certificate.mechanism
    assert mechanism.rho_generate_micro + mechanism.rho_evaluate_micro == certificate.privacy.rho_micro


def test_a_sealed_object_is_bound_to_its_order_and_its_manifest() -> None:
    order, manifest = OrderId(b"o" * 32), b"m" * 32
    contexts = {
        sealing_context(order, manifest),
        sealing_context(OrderId(manifest), bytes(order)),
        sealing_context(order, bytes(32)),
    }
    assert len(contexts) == 3
    assert sealing_context(order, manifest) == b"agora/sealed-for/1" + order + manifest
