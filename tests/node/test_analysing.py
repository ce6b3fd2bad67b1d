"""What members make of an analysis' sums, and what of it anyone can check: the answers, their noise, what was paid."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from marketplace.certificate.answers import answer_faults, noise_faults
from marketplace.certificate.attacks import PublicAttacks
from marketplace.certificate.certificate import Certificate, Score
from marketplace.protocol import analysis_answer, analysis_sums
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Contingency, Count
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.specification import SEALING_KEY_BYTES
from node.workers.analysing import AnalysisTask
from node.workers.job import Job, JointJob
from tests.certificate.examples import sell
from tests.certificate.test_verification import FIGURE
from tests.node.examples import ORDER, SCHEMA
from tests.node.test_twinning import joint
from tests.protocol.examples import address
from tests.twin.examples import RHO_MICRO

ASKED = AnalysisSpecification(b"f" * 32, (Count(), Contingency("sex", "test")), 60, b"k" * SEALING_KEY_BYTES, b"n" * 32)
OPENED: Opened = ({"0/rows": (905,), "1/cells": (250, 203, 248, 211)},)


@dataclass(frozen=True)
class Answered:
    """An answer's files, and a certificate of them."""

    files: dict[str, Path]
    certificate: Certificate

    def faults(self, asked: AnalysisSpecification = ASKED, **changes: Any) -> list[str]:
        """What is wrong with the certificate, changed so."""
        certificate = replace(self.certificate, **changes)
        return [
            *answer_faults(self.files, certificate, asked, SCHEMA),
            *noise_faults(certificate, asked, SCHEMA),
        ]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    folder = tmp_path_factory.mktemp("answer")
    own = Job(ORDER, b"d" * 32, 1, b"c" * 32, RHO_MICRO // 3, 10**12, address(0), Path("/nowhere"))
    job = JointJob(own, 3 * (RHO_MICRO // 3), 3 * SCHEMA.rows_per_person, 3, 1)
    task = AnalysisTask(job, ASKED, SCHEMA)
    files = {name: folder / name for name in task.write(folder, OPENED).names}
    sold = sell(tmp_path_factory.mktemp("sale")).manifest.certificate
    certificate = replace(sold, mechanism=task.mechanism(OPENED), scores=(), joint=joint())
    return Answered(files, certificate)


def test_what_members_make_has_no_fault(answered: Answered) -> None:
    assert answered.faults() == []


def test_answers_follow_from_the_sums(answered: Answered, tmp_path: Path) -> None:
    answers, sums = tmp_path / "answers", tmp_path / "sums"
    told = answered.files[analysis_answer.ANSWERS].read_bytes()
    answers.write_bytes(told.replace(b"905", b"906"))
    altered = replace(answered, files={**answered.files, analysis_answer.ANSWERS: answers})
    assert altered.faults() == ["the answers do not follow from the sums"]
    sums.write_bytes(analysis_sums.encode(({"0/rows": (905,), "1/cells": (250, 203, 248)},)))
    altered = replace(answered, files={**answered.files, analysis_sums.SUMS: sums})
    assert "the sums are not those that were asked for" in altered.faults()[0]


def test_sums_that_no_records_have_are_told_and_no_fault_of_the_reader(answered: Answered, tmp_path: Path) -> None:
    asked = replace(ASKED, analyses=(Contingency("sex", "age"),), smallest_cell=10)
    exact = replace(answered.certificate.privacy, rho_micro=0, delta_atto=0)
    sums = tmp_path / "sums"
    altered = replace(answered, files={**answered.files, analysis_sums.SUMS: sums})
    cells = (CLOSED, *[20] * 9, CLOSED, *[20] * 9)
    sums.write_bytes(analysis_sums.encode(({"0/cells": cells}, {"0/merged": (5, -5, *[0] * 8, 5, -5, *[0] * 8)})))
    assert altered.faults(asked, privacy=exact)[0] == "the sums are none that records could have"
    sums.write_bytes(analysis_sums.encode(({"0/rows": (2**63,), "1/cells": (0,) * 4},)))
    assert "64 bits" in altered.faults()[0]


@pytest.mark.parametrize("part", ["rho_micro", "sensitivity", "parameter"])
def test_noise_that_is_too_small_and_rho_that_is_too_little_are_told(answered: Answered, part: str) -> None:
    mechanism = answered.certificate.mechanism
    first, *others = mechanism.generate
    less = {
        "rho_micro": first.rho_micro - 1, "sensitivity": "1", "parameter": str(Fraction(first.parameter) / 2),
    }[part]  # fmt: skip
    altered = replace(mechanism, generate=(replace(first, **{part: less}), *others))
    told = ["its noise is not what the questions, the parties and the rho imply"]
    assert answered.faults(mechanism=altered) == told
    assert answered.faults(mechanism=replace(mechanism, generate=tuple(others))) == told


def test_a_party_less_another_lane_and_another_threshold_are_told(answered: Answered) -> None:
    four = tuple(replace(party, provider=address(9)) for party in (*joint().parties, joint().parties[0]))
    assert "its noise is not what" in "; ".join(answered.faults(joint=joint(parties=four)))
    assert "3 to 16 parties" in "; ".join(answered.faults(joint=joint(parties=four[:2])))
    assert "its lane is not the one that the specification takes" in answered.faults(joint=joint(lane="closed"))
    five = tuple(replace(party, provider=address(n)) for n, party in enumerate((*four, four[0])))
    assert "its threshold is not the specification's" in answered.faults(joint=joint(parties=five, threshold=2))
    assert answered.faults(joint=None)[-1] == "it names no parties"


def test_an_answer_has_neither_scores_nor_figures_of_attacks(answered: Answered) -> None:
    told = ["it has scores or figures of attacks, which no answer has"]
    score = Score("l1_1way", "0.010000", "0.001000", "0.900000", "0.050000")
    assert answered.faults(scores=(score,)) == told
    attacks = PublicAttacks("masked-sums/1", "ab" * 12, "2026-01-31", (FIGURE,))
    assert answered.faults(attacks=attacks) == told
    mechanism = answered.certificate.mechanism
    assert answered.faults(mechanism=replace(mechanism, evaluate=mechanism.generate)) == told
