"""Scores that buyer, node and auditor compute alike, byte for byte: exact arithmetic, and quotes of six decimals."""
