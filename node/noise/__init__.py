"""Randomness that costs privacy: a keyed stream, exact samplers, and what each draw costs in micro-rho."""
