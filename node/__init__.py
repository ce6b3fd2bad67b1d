"""One hospital's node: the only program that ever opens records."""
