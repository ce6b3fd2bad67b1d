"""The only place where records are opened: snapshots, the rho account, and the one door to records for an order."""
