"""`agora-node`: what a provider types."""
