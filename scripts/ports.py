"""TCP ports of this machine for whoever listens later: below those that outgoing connections take, each given once."""

import socket

from marketplace.errors import Refused

HOST = "127.0.0.1"
LOWEST, HIGHEST, BLOCK = 20_000, 32_000, 100

_left = range(0)
_guards: list[socket.socket] = []


def take_ports(count: int = 1) -> range:
    """So many neighbouring ports at which nobody listens now.

    They are not given again while this process lives, to itself or to another that asks here: a block of ports is held by
    a UDP socket at its first one. `count`: 1 to `BLOCK`. Raises `Refused` if there are none.
    """
    global _left
    while True:
        while len(_left) < count:
            _left = _block()
        ports, _left = _left[:count], _left[count:]
        if all(map(_is_free, ports)):
            return ports


def _block() -> range:
    for first in range(LOWEST, HIGHEST, BLOCK):
        guard = socket.socket(type=socket.SOCK_DGRAM)
        try:
            guard.bind((HOST, first))
        except OSError:
            guard.close()
            continue
        _guards.append(guard)
        return range(first, first + BLOCK)
    raise Refused(f"expected free ports between {LOWEST} and {HIGHEST}, got none; end a process that holds some")


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
