"""Compiles the contracts at one pinned version and keeps what the ledger's client needs of them."""
