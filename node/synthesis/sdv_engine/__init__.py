"""SDV as an optional engine, in a process of its own: without privacy, and under a licence of its own."""
