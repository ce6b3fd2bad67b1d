"""Questions to the nodes of an order's other members, each in a thread of its own: a node's loop waits for none of them."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from marketplace.protocol.identity import Address, OrderId


class Inquiries:
    """What one node has asked others about orders, by order and verb. Used by one thread."""

    def __init__(self) -> None:
        self._asked: dict[tuple[OrderId, str], dict[Address, Future[bytes]]] = {}

    def answers(
        self, order: OrderId, verb: str, questions: Mapping[Address, Callable[[], bytes]]
    ) -> Mapping[Address, Future[bytes]] | None:
        """What came of all `questions`, each answer or failure; None while one is awaited.

        All are asked at once when this is first called, and anew once it has told what came of them.
        """
        key = order, verb
        if key not in self._asked:
            self._asked[key] = {who: _asked(question) for who, question in questions.items()}
        if all(one.done() for one in self._asked[key].values()):
            return self._asked.pop(key)
        return None

    def forget(self, order: OrderId) -> None:
        """Awaits nothing more about an order."""
        for key in [key for key in self._asked if key[0] == order]:
            del self._asked[key]


def _asked(question: Callable[[], bytes]) -> Future[bytes]:
    answer: Future[bytes] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 -- it is raised where the answer is wanted
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer
