"""Where the work on an order runs: a process of its own, shut in with one snapshot of records."""
