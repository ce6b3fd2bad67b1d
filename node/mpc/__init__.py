"""Joint analyses: what a party counts, the noise in it, masks that cancel in the sum, and the process that speaks to peers."""
