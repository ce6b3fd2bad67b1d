"""What the words of the marketplace mean: pure values, standard library only."""
