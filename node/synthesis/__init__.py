"""Generators: from a dataset's coded table, by noisy measurements, to synthetic rows."""
