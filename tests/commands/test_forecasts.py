"""What `agora quote` shows of a joint analysis: lane, who learns what, threats, cost, noise, in lines of a terminal."""

from dataclasses import replace

import pytest
from rich.console import Console

from marketplace.commands.forecasts import forecast_document, forecast_lines, noise_table
from marketplace.commands.wishes import check_alone
from marketplace.errors import Invalid
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cost import Cost
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_quote import Forecast, Lane, Noise, Setting
from marketplace.protocol.specification import SEALING_KEY_BYTES

NOISY = Forecast(
    Setting(Lane.SUMS, 3, 1, None),
    2,
    Cost(12, 16_700, 30),
    (Noise("0/rows", 1, "12.5000", 14_000),),
    "0.9000",
    "0.7500",
)
ASKED = AnalysisSpecification(b"o" * 32, (Count(),), 60, b"k" * SEALING_KEY_BYTES, b"n" * 32)
EXACT = Forecast(Setting(Lane.SUMS, 3, 1, 1), 1, Cost(2, 900, 7), (), None, None)


def test_everything_that_a_buyer_is_to_know_is_told_in_lines_of_eighty_columns() -> None:
    lines = list(forecast_lines(NOISY))
    assert lines[0] == "  lane        sums, 3 parties, 2 rounds"
    assert lines[1] == "  takes       about 12 s, 14 s where a message takes 50 ms; 16,700 bytes at each"
    assert max(map(len, lines)) <= 80
    words = " ".join(" ".join(lines).split())
    for told in (
        "learns every party: the sums over all parties, of every round, with everybody's noise in them",
        "learns nobody: another party's own numbers, or any record",
        "up to 2 of the 3 parties together",
        "honest but curious",
        "against up to 1 that reveal theirs",
        "own view epsilon 0.9000",
        "outside epsilon 0.7500",
    ):
        assert told in words


def test_the_noise_of_every_statistic_is_a_row_of_a_table() -> None:
    many = replace(NOISY, noise=tuple(replace(NOISY.noise[0], name=f"0/{place}") for place in range(25)))
    console = Console(width=80)
    with console.capture() as shown:
        console.print(noise_table(many, ASKED))
    assert "12.5" in shown.get()
    assert "14,000" in shown.get()
    assert "1. count, 19" in shown.get()
    assert "1. count, 20" not in shown.get()
    assert "5 more" in shown.get()


def test_an_exact_analysis_has_one_round_no_epsilon_and_never_says_private() -> None:
    words = " ".join(forecast_lines(EXACT))
    assert "one round" in words
    assert "No noise is in the answer" in words
    assert "epsilon" not in words
    assert "private" not in words


def test_programs_get_numbers_and_words() -> None:
    document = forecast_document(NOISY)
    assert (document["lane"], document["parties"], document["threshold"], document["rounds"]) == ("sums", 3, 1, 2)
    assert (document["seconds"], document["bytes"], document["own_view"], document["outside"]) == (
        12,
        16_700,
        0.9,
        0.75,
    )
    assert document["noise"] == [{"name": "0/rows", "cells": 1, "sigma": 12.5, "rho_micro": 14_000}]
    assert set(document["learned"]) == {"every party", "the buyer", "everybody", "nobody"}
    assert len(document["threats"]) == 2
    assert forecast_document(EXACT)["own_view"] is None


def test_wishes_for_rows_do_not_go_with_questions() -> None:
    check_alone(None, [], "")
    with pytest.raises(Invalid, match="--questions with --only and --threshold alone"):
        check_alone(None, 500)
