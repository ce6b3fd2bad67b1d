"""How much one stranger, and all together, can make an endpoint do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """`head_bytes`: the first line and all headers. `request_s`: from the connection to the whole request, the handshake
    included. `answer_s`: from there to the end of the answer. What is not given has the value of the product."""

    head_bytes: int = 8_192
    body_bytes: int = 8_192
    connections: int = 32
    connections_of_one_peer: int = 8
    request_s: float = 10.0
    answer_s: float = 60.0
