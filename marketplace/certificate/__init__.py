"""The public account of a delivery: certificate, manifest, and what can be checked of them without a ledger."""
