"""`agora`: what buyers and auditors type."""
