"""A party's process that ends badly at one moment: `stumbling.py MOMENT HOW`.

MOMENT: start, middle or end. HOW: killed, stopped, cut or rubbish. A file `stumbled` in its folder says that it has been
there; it stumbles every time.
"""

import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.mpc import party
from node.mpc.summing import Summing

STUMBLED = "stumbled"
METHODS = {"start": "greet", "middle": "sum", "end": "finish"}


def stumble(summing: Any, how: str) -> None:
    Path(STUMBLED).touch()
    connections = [line._connection for line in _lines(summing)]
    match how:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stopped":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "cut":
            for one in connections:
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        case "rubbish":
            for one in connections:
                assert isinstance(one, ssl.SSLSocket)
                one.sendall(b"\xff" * 4096)


def _lines(summing: Any) -> list[Any]:
    """Every line on which something is sent, wherever they are kept."""
    kept = summing if hasattr(summing, "_senders") else summing._conversation
    return [sender.line for sender in kept._senders.values()]


def before(method: Callable[..., Any], how: str) -> Callable[..., Any]:
    def stumbling(self: Any, *given: Any) -> Any:
        stumble(self, how)
        return method(self, *given)

    return stumbling


if __name__ == "__main__":
    name = METHODS[sys.argv[1]]
    setattr(Summing, name, before(getattr(Summing, name), sys.argv[2]))
    sys.exit(party.main())
