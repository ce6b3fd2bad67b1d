"""Plants faults into copies of the contracts, one by one, and runs the tests that should notice each."""
