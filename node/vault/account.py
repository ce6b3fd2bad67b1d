"""The write-ahead account: what each order may draw from each dataset, on the disk before any noise is drawn.

Rho for orders with noise; for exact ones, which rho cannot count, an allowance of its own.
"""

import sqlite3
from dataclasses import dataclass

from marketplace.errors import Invalid, Refused
from node.vault.database import query, transaction

_LARGEST_RHO_MICRO = 2**53 - 1


@dataclass(frozen=True)
class Debit:
    """One entry: `order` took `rho_micro` from `dataset`, for ever. Both are ids of 32 bytes."""

    order: bytes
    dataset: bytes
    rho_micro: int


@dataclass(frozen=True)
class ExactDraw:
    """One entry: `order` took one of the allowance of `dataset`, for ever. Both are ids of 32 bytes."""

    order: bytes
    dataset: bytes


class Account:
    """What every dataset of this vault may reveal, and what it has given, in micro-rho. Entries are only added."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def raise_total(self, dataset: bytes, total_micro: int) -> None:
        """Lets `dataset` reveal `total_micro` in all. Saying the same total again changes nothing.

        Raises `Refused` if that is less than before, `Invalid` if it is no rho.
        """
        _check(dataset, total_micro)
        with transaction(self._connection):
            before = self.total(dataset)
            if total_micro < before:
                raise Refused(f"expected a total of at least {before} micro-rho, got {total_micro}; a total only grows")
            if total_micro > before:
                self._connection.execute(
                    "INSERT INTO total (dataset, total_micro) VALUES (?, ?)", (dataset, total_micro)
                )

    def debit(self, order: bytes, dataset: bytes, rho_micro: int) -> None:
        """Takes `rho_micro` from `dataset` for `order`; on the disk when this returns. The same debit again is none.

        Raises `Refused`, and takes nothing, where the order has taken another rho from the dataset or the total would
        be exceeded; `Invalid` where an id is not of 32 bytes or the rho is not above 0.
        """
        _check(order, 1)
        _check(dataset, rho_micro)
        with transaction(self._connection):
            before = self._taken(order, dataset)
            if before is not None and before != rho_micro:
                raise Refused(
                    f"expected the {before} micro-rho that this order took before, got {rho_micro}; ask for that"
                )
            if before is None:
                left = self.total(dataset) - self.spent(dataset)
                if rho_micro > left:
                    raise Refused(
                        f"expected a rho within the {left} micro-rho left, got {rho_micro}; raise the total first"
                    )
                self._connection.execute(
                    "INSERT INTO debit (order_id, dataset, rho_micro) VALUES (?, ?, ?)", (order, dataset, rho_micro)
                )

    def set_allowance(self, dataset: bytes, exact_total: int) -> None:
        """Lets `dataset` serve `exact_total` exact orders in all, counted from its registration; the newest word counts.

        Raises `Invalid` if that is no number of orders.
        """
        _check(dataset, 1)
        if type(exact_total) is not int or not 0 <= exact_total < 2**32:
            raise Invalid("expected an allowance of 0 or more exact orders, as a whole number")
        with transaction(self._connection):
            statement = "INSERT INTO allowance (dataset, exact_total) VALUES (?, ?)"
            self._connection.execute(statement, (dataset, exact_total))

    def take_exact(self, order: bytes, dataset: bytes) -> None:
        """Takes one of the allowance of `dataset` for `order`; on the disk when this returns. The same again is none.

        Raises `Refused`, and takes nothing, where none is left; `Invalid` where an id is not of 32 bytes.
        """
        _check(order, 1)
        _check(dataset, 1)
        with transaction(self._connection):
            if self._is_exact(order, dataset):
                return
            if self.exact_left(dataset) < 1:
                raise Refused("expected an allowance of exact orders, none is left; open an epoch with one first")
            self._connection.execute("INSERT INTO exact_draw (order_id, dataset) VALUES (?, ?)", (order, dataset))

    def exact_left(self, dataset: bytes) -> int:
        """How many exact orders `dataset` may still serve; 0 for one that nobody gave an allowance."""
        used = self._number("SELECT count(*) FROM exact_draw WHERE dataset = ?", dataset)
        return max(0, self.exact_total(dataset) - used)

    def exact_total(self, dataset: bytes) -> int:
        """How many exact orders `dataset` may serve in all; 0 for one that nobody gave an allowance."""
        newest = "SELECT exact_total FROM allowance WHERE dataset = ? ORDER BY sequence DESC LIMIT 1"
        found = query(self._connection, newest, (dataset,))
        return int(found[0][0]) if found else 0

    def total(self, dataset: bytes) -> int:
        """What `dataset` may reveal in all; 0 for one that nobody gave a total."""
        return self._number("SELECT coalesce(max(total_micro), 0) FROM total WHERE dataset = ?", dataset)

    def spent(self, dataset: bytes) -> int:
        """The sum of all debits of `dataset`."""
        return self._number("SELECT coalesce(sum(rho_micro), 0) FROM debit WHERE dataset = ?", dataset)

    def touched(self, order: bytes, dataset: bytes) -> bool:
        """Whether `order` may have seen records of `dataset`: only where this is False may what it took be released."""
        return self._taken(order, dataset) is not None or self._is_exact(order, dataset)

    def entries(self) -> tuple[Debit, ...]:
        """All debits in the order in which they were made."""
        rows = query(self._connection, "SELECT order_id, dataset, rho_micro FROM debit ORDER BY sequence")
        return tuple(Debit(*row) for row in rows)

    def exact_draws(self) -> tuple[ExactDraw, ...]:
        """All exact orders that took of an allowance, in that order."""
        rows = query(self._connection, "SELECT order_id, dataset FROM exact_draw ORDER BY sequence")
        return tuple(ExactDraw(*row) for row in rows)

    def _taken(self, order: bytes, dataset: bytes) -> int | None:
        statement = "SELECT rho_micro FROM debit WHERE order_id = ? AND dataset = ?"
        found = query(self._connection, statement, (order, dataset))
        return int(found[0][0]) if found else None

    def _is_exact(self, order: bytes, dataset: bytes) -> bool:
        statement = "SELECT 1 FROM exact_draw WHERE order_id = ? AND dataset = ?"
        return bool(query(self._connection, statement, (order, dataset)))

    def _number(self, statement: str, dataset: bytes) -> int:
        return int(query(self._connection, statement, (dataset,))[0][0])


def _check(identity: bytes, rho_micro: int) -> None:
    if len(identity) != 32:
        raise Invalid(f"expected an id of 32 bytes, got {len(identity)} bytes")
    if type(rho_micro) is not int or not 0 < rho_micro <= _LARGEST_RHO_MICRO:
        raise Invalid("expected a rho of 1 micro-rho or more, as a whole number")
