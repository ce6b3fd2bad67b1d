"""Keys: the pairs that results are sealed to, and what keeps secrets at rest."""
