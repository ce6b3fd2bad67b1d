"""Check of certificates: each signed by its provider, each true to the ledger and to the documents that it names."""

from collections.abc import Iterator

from marketplace.audit.documents import NO_STORE, Shelf
from marketplace.audit.evidence import Evidence
from marketplace.audit.finding import counted, finding, not_made, short
from marketplace.certificate.agreement import disagreements, made_for
from marketplace.protocol.check import Check


def certified(evidence: Evidence, shelf: Shelf | None) -> Check:
    """Check 12."""
    sentence = "Every certificate is signed by its provider and agrees with the ledger and its documents."
    if shelf is None:
        return not_made(12, sentence, NO_STORE)
    deliveries = [order for order in evidence.account.orders.values() if order.delivery is not None]
    found = sum(order.delivery is not None and order.delivery.manifest in shelf.manifests for order in deliveries)
    if deliveries and not found:
        return not_made(12, sentence, f"no manifest of {counted(len(deliveries), 'delivery')} could be read")
    return finding(12, sentence, _faults(evidence, shelf), f"{found:,} of {counted(len(deliveries), 'delivery')}")


def _faults(evidence: Evidence, shelf: Shelf) -> Iterator[str]:
    for order in evidence.account.orders.values():
        manifest = shelf.manifests.get(order.delivery.manifest) if order.delivery else None
        if manifest is None:
            continue
        faults = disagreements(
            manifest,
            account=evidence.account,
            order=order,
            domain=evidence.domain,
            description=shelf.descriptions.get(manifest.certificate.description),
            specification=shelf.specifications.get(made_for(evidence.account, order).order.specification),
        )
        if faults:
            yield f"order {short(order.id)}: {', '.join(faults)}"
