"""Has Slither look at the contracts and compares what it finds with what docs/contract-review.md answers."""
