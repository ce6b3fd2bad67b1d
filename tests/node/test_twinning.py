"""What follows from the sums of a pool at each of its members: the same files, a mechanism that holds, and a size that fits."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.certificate.certificate import Mechanism
from marketplace.certificate.joint import Joint, Party
from marketplace.certificate.twins import scoring_of, sums_faults, twin_noise_faults
from marketplace.protocol import analysis_sums, result
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.identity import DatasetId
from marketplace.protocol.schema import Schema
from marketplace.protocol.unit import PrivacyUnit
from marketplace.scores.summed import Scoring
from node.pool.joint import SUM_BYTES, SUMS_BYTES
from node.twin.extent import extent_of
from node.workers.job import Job, JointJob
from node.workers.twinning import FILES, TwinTask
from tests.node.examples import ORDER
from tests.protocol.examples import address
from tests.synthesis.examples import WIDE, specification
from tests.twin.examples import RHO_MICRO, WIDE_ROWS, dealt, keys, opened_by, twin_of

ASKED = specification(("age", "visits"), rows=120)


def task_at(number: int, unit: PrivacyUnit = PrivacyUnit.PERSON) -> TwinTask:
    rho_micro, rows = unit.sums_micro([RHO_MICRO // 3] * 3), unit.rows([WIDE.rows_per_person] * 3)
    own = Job(ORDER, bytes([number]) * 32, 1, b"c" * 32, RHO_MICRO // 3, 10**12, address(number), Path("/nowhere"))
    return TwinTask.of(JointJob(own, rho_micro, rows, 3, 1, unit), ASKED, WIDE)


@dataclass(frozen=True)
class Made:
    """What one member made of the sums."""

    files: dict[str, Path]
    mechanism: Mechanism
    opened: Opened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    opened = opened_by(twin_of(WIDE, asked=ASKED), WIDE, dealt(WIDE, WIDE_ROWS), keys(0))
    found = []
    for number in range(2):
        folder, task = tmp_path_factory.mktemp("member"), task_at(number)
        names = task.write(folder, opened).names
        assert names == FILES == (*result.names_of(WIDE), analysis_sums.SUMS)
        found.append(Made({name: folder / name for name in names}, task.mechanism(opened), opened))
    return found


def joint(**changes: Any) -> Joint:
    parties = tuple(
        Party(address(n), DatasetId(bytes([n]) * 32), 1, *([b"x" * 32] * 2), RHO_MICRO // 3, *([b"x" * 32] * 4))
        for n in range(3)
    )
    return replace(Joint("sums", 1, PrivacyUnit.PERSON, b"t" * 32, parties), **changes)


def scoring(mechanism: Mechanism, schema: Schema = WIDE) -> Scoring:
    return scoring_of(mechanism, schema, ASKED)


def test_every_member_makes_the_same_files_and_names_the_same_mechanism(made: list[Made]) -> None:
    one, other = made
    assert one.mechanism == other.mechanism
    for name in FILES:
        assert one.files[name].read_bytes() == other.files[name].read_bytes(), name


def test_every_sum_is_a_stage_whose_price_covers_a_person_at_every_party(made: list[Made]) -> None:
    one = made[0]
    assert "3/marginal/0" in {stage.name for stage in one.mechanism.generate}
    assert list(sums_faults(one.files, one.mechanism)) == []
    assert list(twin_noise_faults(one.files, one.mechanism, joint(), WIDE, scoring(one.mechanism))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sensitivity": "9"}, "does not cover"),
        ({"parameter": "12"}, "does not cover"),
        ({"parameter": "7"}, "does not cover"),
        ({"parameter": "a"}, "does not cover"),
        ({"rho_micro": 1}, "does not cover"),
        ({"name": "2/other"}, "does not cover"),
        ({"rho_micro": 10**6}, "cost more than was paid"),
    ],
)
def test_a_sketch_with_less_noise_than_it_pays_for_is_told(
    made: list[Made], change: dict[str, Any], words: str
) -> None:
    one = made[0]
    stages = [replace(each, **change) if each.name == "2/sketch" else each for each in one.mechanism.generate]
    assert stages != list(one.mechanism.generate)
    altered = replace(one.mechanism, generate=tuple(stages))
    assert any(words in fault for fault in twin_noise_faults(one.files, altered, joint(), WIDE, scoring(altered)))


def test_schema_lane_threshold_and_payment_are_looked_at(made: list[Made]) -> None:
    one = made[0]

    def faults(said: Joint, rows_per_person: int = WIDE.rows_per_person) -> str:
        schema = replace(WIDE, person="patient", rows_per_person=rows_per_person)
        return "; ".join(twin_noise_faults(one.files, one.mechanism, said, schema, scoring(one.mechanism, schema)))

    assert "lane or its threshold" in faults(joint(lane="closed"))
    assert "lane or its threshold" in faults(joint(threshold=0))
    assert "does not cover one person" in faults(joint(), rows_per_person=WIDE.rows_per_person + 1)
    poor = tuple(replace(party, rho_micro=RHO_MICRO // 6) for party in joint().parties)
    assert faults(joint(parties=poor)) == "its stages cost more than was paid for them"


def test_noise_for_a_person_at_one_provider_is_enough_for_that_unit_alone(made: list[Made], tmp_path: Path) -> None:
    at_provider = PrivacyUnit.PERSON_AT_PROVIDER
    task = task_at(0, at_provider)
    opened = opened_by(task.twin, WIDE, dealt(WIDE, WIDE_ROWS), keys(0))
    files = {name: tmp_path / name for name in task.write(tmp_path, opened).names}
    mechanism, weaker = task.mechanism(opened), joint(unit=at_provider)
    assert list(twin_noise_faults(files, mechanism, weaker, WIDE, scoring(mechanism))) == []
    assert "does not cover one person, wherever it has records" in "; ".join(
        twin_noise_faults(files, mechanism, joint(), WIDE, scoring(mechanism))
    )
    assert "; ".join(
        twin_noise_faults(made[0].files, made[0].mechanism, weaker, WIDE, scoring(made[0].mechanism))
    ).endswith("more than was paid for them")
    report = files[result.REPORT].read_text()
    assert "The privacy unit: one person at one provider; " in report
    assert "One with records at k of them loses k * k times the rho: at all 3, epsilon" in report


def test_other_sums_than_those_that_are_signed_for_are_told(made: list[Made], tmp_path: Path) -> None:
    one = made[0]
    changed = tmp_path / analysis_sums.SUMS
    changed.write_bytes(analysis_sums.encode([{**one.opened[0], "cells/0/0": (1, 2, 3, 4)}, *one.opened[1:]]))
    assert list(sums_faults({analysis_sums.SUMS: changed}, one.mechanism)) == [
        "the sums are not those that the certificate names"
    ]
    fewer = replace(one.mechanism, generate=one.mechanism.generate[1:])
    assert list(sums_faults(one.files, fewer)) == ["not every sum is a stage that was charged"]


def test_the_sums_fit_into_what_a_result_is_padded_for(made: list[Made]) -> None:
    longest = analysis_sums.encode(
        [{name: [-(2**63)] * len(sums) for name, sums in each.items()} for each in made[0].opened]
    )
    assert len(longest) <= SUM_BYTES * extent_of(WIDE, ASKED).cells + SUMS_BYTES - 2 * result.HEADER_BYTES


def test_the_report_says_how_close_the_rows_are_and_who_learnt_what(made: list[Made]) -> None:
    report = made[0].files[result.REPORT].read_text()
    for words in (
        "computes every score from them",
        "Against whom it holds",
        "Who learnt what",
        "sums.json",
        "sketch, round 3",
    ):
        assert words in report
    assert "The answers" not in report
