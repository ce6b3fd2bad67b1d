"""What the demo shows at its end: two tables and the audit's checks for people, or one JSON object."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from marketplace.audit.audit import Audit
from marketplace.certificate.certificate import Certificate
from marketplace.certificate.folder import MANIFEST
from marketplace.certificate.manifest import Manifest
from marketplace.commands.display import (
    GUARANTEES,
    check_documents,
    checks_table,
    console,
    delta_text,
    transaction_documents,
)
from marketplace.content.cid import Cid
from marketplace.ledger.ledger import Receipt
from marketplace.protocol import result
from marketplace.protocol.account import OrderView
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.scores.codes import read_codes
from node.workers.job import Name
from scripts.story.folder import CERTIFICATE, TWIN, Opened
from scripts.story.play import Ending


def certificate_of(ending: Ending) -> Certificate:
    """The certificate that the buyer got."""
    return Manifest.decode((ending.cast.folder / "result" / MANIFEST).read_bytes()).certificate


def opened(ending: Ending) -> dict[str, Opened]:
    """What the buyer has, by its place in the folder that the demo leaves."""
    return {TWIN: Opened(ending.cast.folder / "result", certificate_of(ending).encode())}


def show(ending: Ending, out: Path, agora: str) -> None:
    """The tables for people, on standard output. `agora`: how to call it."""
    screen, privacy = console(), certificate_of(ending).privacy
    promise = f"epsilon {privacy.epsilon}, delta {delta_text(privacy.delta_atto)}, unit: {privacy.unit}"
    screen.print(f"\nWhat the buyer reads: scores released under {promise}")
    screen.print(_released(ending))
    screen.print("0 is best. Floor: a column shuffle. Ceiling: sampling error alone.")
    exact = _provider_scores(ending)
    if exact:
        screen.print("\nWhat only the provider reads, and a buyer never: exact scores against the real records")
        screen.print(_provider_only(exact))
        screen.print("Floor: a column shuffle of the real table. Ceiling: a bootstrap of it.")
        screen.print(_attack_line(exact))
    else:
        screen.print("\nThe holdout of so few records is too small for the provider's own comparison.")
    screen.print()
    screen.print(checks_table("The audit, from the ledger and the content store alone", ending.audit.checks))
    screen.print(f"\nThe provider withdrew {euro_text(ending.payout_units)}. The buyer has, in {out}:", soft_wrap=True)
    for name in (result.TABLE, CERTIFICATE, result.REPORT, result.PICTURE):
        screen.print(f"  {name}")
    screen.print(f"Check it again: {agora} verify {out}", soft_wrap=True)


def _released(ending: Ending) -> Table:
    table = _scores_table("synthetic", "noise (1 sigma)", "floor", "ceiling")
    for score in certificate_of(ending).scores:
        table.add_row(score.name, score.value, score.sigma, score.floor, score.ceiling)
    return table


def _provider_only(exact: dict[str, Any]) -> Table:
    table = _scores_table("synthetic", "on holdout", "floor", "ceiling")
    for score in exact["scores"]:
        parts = (score["training"], score["holdout"], score["floor"]["value"], score["ceiling"]["value"])
        table.add_row(score["name"], *parts)
    return table


def _attack_line(exact: dict[str, Any]) -> str:
    auc = exact["attack"]["auc"]
    return f"Membership attack on the holdout: AUC {auc['value']} ({auc['low']} to {auc['high']}); chance is 0.5."


def _scores_table(*headings: str) -> Table:
    table = Table()
    table.add_column("score", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def document(ending: Ending, out: Path) -> dict[str, Any]:
    """The act in the JSON object of `--json`."""
    account = ending.cast.client.account()
    order, dataset = account.orders[ending.order], account.datasets[ending.listed.dataset]
    description = ending.listed.description
    member, head = ending.offer.members[0], ending.offer.head
    table = out / result.TABLE
    return {
        "dataset": {
            "id": dataset.id.hex(),
            "rows_declared": description.rows_declared,
            "columns": len(description.schema.columns),
            "commitment": dataset.versions[-1].commitment.hex(),
            "total_rho_micro": dataset.total_micro,
            "used_rho_micro": dataset.used_micro,
        },
        "offer": {
            "id": ending.offer.id.hex(),
            "kind": head.kind.name.lower(),
            "guarantee": GUARANTEES[head.guarantee],
            "price_units": head.price_units,
            "rho_micro": member.rho_micro,
            "delta": head.delta_atto / DELTA_UNIT,
        },
        "order": {
            "id": order.id.hex(),
            "state": order.state.word,
            "transactions": transaction_documents(_receipts(ending, order)),
        },
        "delivery": _delivery(ending, order),
        "certificate": _certificate(certificate_of(ending)),
        "result": {
            "path": str(table),
            "rows": len(read_codes(table.read_bytes(), description.schema)),
            "columns": len(description.schema.columns),
        },
        "payouts": [{"provider": member.provider, "amount_units": ending.payout_units}],
        "audit": audit_document(ending.audit),
    }


def audit_document(audit: Audit) -> dict[str, Any]:
    """An audit as a value for JSON."""
    return {"passed": audit.passed, "checks": check_documents(audit.checks)}


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "mechanism": f"{certificate.mechanism.name}/{certificate.mechanism.version}",
        "epsilon": float(certificate.privacy.epsilon),
        "delta": certificate.privacy.delta_atto / DELTA_UNIT,
        "rho_micro": certificate.privacy.rho_micro,
        "scores": {
            score.name: {
                "synthetic": float(score.value),
                "floor": float(score.floor),
                "ceiling": float(score.ceiling),
            }
            for score in certificate.scores
        },
    }


def _delivery(ending: Ending, order: OrderView) -> dict[str, Any]:
    assert order.delivery is not None
    delivery = order.delivery
    cid = Cid(delivery.object, delivery.object_codec)
    return {
        "cid": cid.text,
        "manifest_cid": Cid.raw(delivery.manifest).text,
        "bytes": ending.cast.stage.store.size(cid),
        "plain_root": delivery.plain_root.hex(),
    }


def _receipts(ending: Ending, order: OrderView) -> list[Receipt]:
    """The order's transactions in their order; those of a node in another process are read from the ledger."""
    found = {receipt.transaction: receipt for receipt in ending.cast.receipts}
    for step in order.life:
        transaction = step.position.transaction
        if transaction not in found and (receipt := ending.cast.stage.ledger.receipt(transaction)):
            found[transaction] = receipt
    return sorted(found.values(), key=lambda receipt: receipt.block)


def _provider_scores(ending: Ending) -> dict[str, Any]:
    """What the provider's own report says; nothing where the holdout is too small for one."""
    path = ending.cast.folder / "provider" / "orders" / ending.order.hex() / Name.PROVIDER_SCORES
    return dict(json.loads(path.read_bytes())) if path.exists() else {}
