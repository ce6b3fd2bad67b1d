import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from importlib.resources import files
from typing import Any

import pytest

from marketplace.errors import Corrupt, Invalid
from node.evaluation.public_attacks import FILE, PublicAttacks, PublicFigure, decode, encode, public_attacks

FIGURE = PublicFigure(
    "prostate", "epsilon 1", "membership", "TPR at 1 % FPR",
    "0.012000", "0.010000", "0.014000", "0.010000", "0.020000", 64, 1_000, 5_000,
)  # fmt: skip
VERSION = PublicAttacks("some-generator/1", "ab" * 12, "2026-01-31", (FIGURE, replace(FIGURE, maximum=None)))
SHIPPED = files("node.evaluation").joinpath(FILE).read_bytes()


def test_figures_survive_the_file() -> None:
    assert decode(encode((VERSION,))) == (VERSION,)
    assert PublicAttacks.of_document(json.loads(json.dumps(VERSION.document()))) == VERSION


def test_the_shipped_file_is_in_its_one_form_and_names_each_version_once() -> None:
    versions = decode(SHIPPED)
    assert encode(versions) == SHIPPED
    assert len({one.generator for one in versions}) == len(versions)


@pytest.mark.parametrize("version", decode(SHIPPED), ids=lambda one: one.generator)
def test_every_shipped_interval_holds_its_value_and_no_private_setting_exceeds_what_its_rho_allows(
    version: PublicAttacks,
) -> None:
    assert public_attacks(version.generator) == version and version.figures and version.made in version.sentence
    for figure in version.figures:
        assert Fraction(figure.low) <= Fraction(figure.value) <= Fraction(figure.high)
        assert figure.maximum is None or Fraction(figure.low) <= Fraction(figure.maximum)
        assert (figure.maximum is None) == (not figure.setting.startswith("epsilon"))


def test_a_version_that_nobody_attacked_says_so() -> None:
    unknown = public_attacks("some-generator/7")
    assert not unknown.figures
    assert unknown.sentence == "No attacks on public data are on record for some-generator/7."


@pytest.mark.parametrize(
    "break_it",
    [
        lambda document: document.pop("made"),
        lambda document: document.update(more=1),
        lambda document: document.update(code=7),
        lambda document: document.update(figures=5),
        lambda document: document["figures"][0].pop("fits"),
        lambda document: document["figures"][0].update(value="0.1"),
        lambda document: document["figures"][0].update(fits=0),
        lambda document: document["figures"][0].update(dataset=None),
    ],
)
def test_other_parts_are_corrupt(break_it: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(json.dumps(VERSION.document()))
    break_it(document)
    with pytest.raises(Corrupt, match="public figures of attacks"):
        PublicAttacks.of_document(document)


def test_another_document_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="public figures of attacks"):
        decode(b'{"format":"agora/public-attacks/1","versions":{}}')


def test_a_figure_of_a_float_is_invalid() -> None:
    with pytest.raises(Invalid, match="six digits"):
        replace(FIGURE, value=0.012)  # type: ignore[arg-type]
