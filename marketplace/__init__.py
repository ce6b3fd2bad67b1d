"""Agora Health: the protocol of a marketplace in which health records never move, and its public face."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marketplace.buying.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    """`marketplace.Client`, loaded when it is first asked for, so that a part can be imported without the whole."""
    if name == "Client":
        from marketplace.buying.client import Client

        return Client
    raise AttributeError(f"module 'marketplace' has no attribute {name!r}")
