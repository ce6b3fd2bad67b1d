"""Agora Health: the protocol of a marketplace in which health records never move, and its public face."""
