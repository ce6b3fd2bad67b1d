"""The names by which the ledger knows things. Addresses are in the ledger's mixed-case form, ids are 32 bytes."""

from typing import NewType

Address = NewType("Address", str)
DatasetId = NewType("DatasetId", bytes)
OfferId = NewType("OfferId", bytes)
OrderId = NewType("OrderId", bytes)
DeliveryHash = NewType("DeliveryHash", bytes)
PermitId = NewType("PermitId", bytes)
Digest = NewType("Digest", bytes)

NOBODY = Address("0x0000000000000000000000000000000000000000")
NOTHING = bytes(32)
