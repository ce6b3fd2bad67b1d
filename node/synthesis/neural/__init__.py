"""A network that draws a row column by column, trained on records without privacy or with noisy gradients."""
