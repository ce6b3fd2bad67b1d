"""Slither's findings and the page that answers them."""

import pytest

from scripts.reviewing import page, slither
from scripts.reviewing.page import Finding

PAGE = f"""# A page
{page.HEADING}

| finding | where | answer |
|---|---|---|
| `timestamp` | `Books.inTime`, `Books.overdue` | deadlines are times |

## Something else

| `reentrancy-eth` | `Books.collect` | not part of the table |
"""


def test_the_page_answers_each_place_of_a_row() -> None:
    assert page.answers(PAGE) == {Finding("timestamp", "Books.inTime"), Finding("timestamp", "Books.overdue")}


def test_a_finding_without_an_answer_is_named() -> None:
    found = {*page.answers(PAGE), Finding("reentrancy-eth", "Books.collect")}
    assert page.judge(found, page.answers(PAGE)) == ["reentrancy-eth in Books.collect is not answered"]


def test_an_answer_without_a_finding_is_named() -> None:
    found = {Finding("timestamp", "Books.inTime")}
    assert page.judge(found, page.answers(PAGE)) == ["timestamp in Books.overdue is answered and not found"]


def test_all_is_well_where_both_agree() -> None:
    assert page.judge(page.answers(PAGE), page.answers(PAGE)) == []


@pytest.mark.parametrize(
    "row", ["| timestamp | `Books.inTime` | why |", "| `a` | Books | why |", "| `a` | `Books.b` | |"]
)
def test_a_row_that_answers_nothing_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match="expected a detector, places and an answer"):
        page.answers(f"{page.HEADING}\n| finding | where | answer |\n|---|---|---|\n{row}\n")


def test_a_page_without_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the heading"):
        page.answers("# A page\n")


@pytest.mark.slow
def test_every_finding_is_answered() -> None:
    assert page.judge(slither.product(), page.answers(page.PATH.read_text())) == []


@pytest.mark.slow
def test_a_planted_weakness_is_found() -> None:
    source = """
    // SPDX-License-Identifier: Apache-2.0
    pragma solidity ^0.8.28;

    contract Weak {
        mapping(address account => uint256) private credits;

        function withdraw() external {
            (bool sent, ) = msg.sender.call{value: credits[msg.sender]}("");
            require(sent);
            credits[msg.sender] = 0;
        }
    }
    """
    assert Finding("reentrancy-eth", "Weak.withdraw") in slither.find({"Weak.sol": source})


@pytest.mark.slow
def test_sources_that_do_not_compile_are_no_clean_bill() -> None:
    with pytest.raises(RuntimeError, match="expected Slither to look at all sources"):
        slither.find({"Weak.sol": "contract {"})
