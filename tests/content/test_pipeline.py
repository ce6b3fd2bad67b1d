from collections.abc import Iterator
from threading import Event, Lock

import pytest

from marketplace.content.pipeline import in_order


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_results_come_in_the_order_of_the_items(at_once: int) -> None:
    assert list(in_order(lambda n: n * n, range(50), at_once)) == [n * n for n in range(50)]


def test_work_on_several_items_runs_at_once() -> None:
    started = [Event(), Event()]

    def meet(n: int) -> bool:
        started[n].set()
        return started[1 - n].wait(timeout=300)

    assert list(in_order(meet, range(2), 2)) == [True, True]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_items_are_drawn_than_are_asked_for(at_once: int) -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for n in range(100):
            drawn.append(n)
            yield n

    results = in_order(abs, items(), at_once)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(drawn) == 4 + at_once
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("at_once", [1, 4])
def test_the_first_error_ends_the_work(at_once: int) -> None:
    done: list[int] = []
    lock = Lock()

    def work(n: int) -> int:
        if n == 3:
            raise ValueError("the fourth")
        with lock:
            done.append(n)
        return n

    with pytest.raises(ValueError, match="the fourth"):
        list(in_order(work, range(1000), at_once))
    assert len(done) < 3 + 2 * at_once + 1


def test_an_error_of_the_source_comes_through() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(in_order(abs, items(), 3))
