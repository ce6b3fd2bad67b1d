"""How good and how safe a result is: released scores, provider-only scores and attacks, the picture, the reports."""
