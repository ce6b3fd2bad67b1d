"""The buyer's side as a library: place, fetch, check, accept, open."""
