"""A real chain for the node's tests."""

from tests.ledger.fixtures import anvil_url

__all__ = ["anvil_url"]
