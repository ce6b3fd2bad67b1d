"""The synthetic twin of pooled records, which nobody holds: masked sums between the members' nodes, and rows from those."""
