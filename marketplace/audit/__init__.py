"""The audit: numbered checks of everything that the ledger recorded, by anyone, without anyone's permission."""
