"""What a vault holds of a dataset, for decisions that see no record."""

from marketplace.errors import Invalid
from node.admission import Holding
from node.vault.vault import Vault


def holding_of(vault: Vault, dataset: bytes, version: int) -> Holding | None:
    """What `vault` holds of this version of `dataset`, by its name there; None if it holds none."""
    try:
        held = vault.describe(dataset, version)
    except Invalid:
        return None
    account = vault.account
    left_micro = account.total(dataset) - account.spent(dataset)
    return Holding(held.version, held.commitment, left_micro, account.exact_left(dataset))
