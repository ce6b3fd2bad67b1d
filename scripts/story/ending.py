"""What the demo shows at its end: two tables and the audit's checks for people, or one JSON object."""

import json
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from marketplace.certificate.manifest import Manifest
from marketplace.commands.checks import MARKS, documents
from marketplace.content.cid import Cid
from marketplace.protocol import result
from marketplace.protocol.account import OrderView
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.scores.codes import read_codes
from node.workers.job import Name
from scripts.story.play import Ending

CERTIFICATE = "certificate.json"
GUARANTEES = {Guarantee.DIFFERENTIALLY_PRIVATE: "dp", Guarantee.EXACT: "exact"}


def lay_out(ending: Ending, out: Path) -> None:
    """Puts what the buyer has into `out`: table, report, picture, certificate, and what `agora verify` needs."""
    shutil.copytree(ending.cast.folder / "result", out, dirs_exist_ok=True)
    (out / CERTIFICATE).write_bytes(_manifest(ending).certificate.encode())


def show(ending: Ending, out: Path) -> None:
    """The tables for people, on standard output."""
    console = Console(width=None if Console().is_terminal else 150)
    console.print(_released(ending))
    console.print("A buyer sees the table above. It does not see the next one, which the demo shows as the provider:")
    console.print(_provider_only(ending))
    checks = Table(title="The audit, from the ledger and the content store alone", title_justify="left")
    for heading in ("", "check", "", "evidence"):
        checks.add_column(heading, overflow="fold")
    for check in ending.audit.checks:
        checks.add_row(str(check.number), check.sentence, MARKS[check.passed], check.evidence)
    console.print(checks)
    console.print(f"The provider withdrew {euro_text(ending.payout_units)}. In {out}:")
    for name in (result.TABLE, CERTIFICATE, result.REPORT, result.PICTURE):
        console.print(f"  {name}")
    console.print(f"Check it again: agora verify {out}")


def _released(ending: Ending) -> Table:
    certificate = _manifest(ending).certificate
    privacy = certificate.privacy
    title = f"Released scores: epsilon {privacy.epsilon}, delta {privacy.delta_atto / DELTA_UNIT:g}, {privacy.unit}"
    table = Table(
        title=title, title_justify="left", caption="floor: column shuffle; ceiling: sampling error; 0 is best"
    )
    for heading in ("score", "synthetic", "noise (1 sigma)", "floor", "ceiling"):
        table.add_column(heading, justify="left" if heading == "score" else "right")
    for score in certificate.scores:
        table.add_row(score.name, score.value, score.sigma, score.floor, score.ceiling)
    return table


def _provider_only(ending: Ending) -> Table:
    exact = _provider_scores(ending)
    table = Table(title="Provider only: exact scores against the real records", title_justify="left")
    for heading in ("score", "synthetic", "shuffle of the real table", "bootstrap of the real table", "on the holdout"):
        table.add_column(heading, justify="left" if heading == "score" else "right")
    for score in exact.get("scores", []):
        parts = (score["training"], score["floor"]["value"], score["ceiling"]["value"], score["holdout"])
        table.add_row(score["name"], *parts)
    if "attack" in exact:
        auc = exact["attack"]["auc"]
        table.caption = f"membership attack: AUC {auc['value']} ({auc['low']} to {auc['high']}), chance is 0.5"
    return table


def document(ending: Ending, out: Path) -> dict[str, Any]:
    """The JSON object of `--json`."""
    account = ending.cast.client.account()
    order = account.orders[ending.order]
    dataset = account.datasets[ending.listed.dataset]
    certificate = _manifest(ending).certificate
    member, head = ending.offer.members[0], ending.offer.head
    table = out / result.TABLE
    columns = len(ending.listed.description.schema.columns)
    return {
        "dataset": {
            "id": dataset.id.hex(),
            "rows_declared": ending.listed.description.rows_declared,
            "columns": columns,
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
            "transactions": [
                {"step": receipt.function, "hash": "0x" + receipt.transaction.hex(), "gas": receipt.gas}
                for receipt in _receipts(ending, order)
            ],
        },
        "delivery": _delivery(ending, order),
        "certificate": {
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
        },
        "result": {
            "path": str(table),
            "rows": len(read_codes(table.read_bytes(), ending.listed.description.schema)),
            "columns": columns,
        },
        "payouts": [{"provider": member.provider, "amount_units": ending.payout_units}],
        "audit": {"passed": ending.audit.passed, "checks": documents(ending.audit.checks)},
        "provider_only": _provider_scores(ending),
        "seconds": round(ending.cast.say.seconds, 1),
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


def _receipts(ending: Ending, order: OrderView) -> list[Any]:
    """The order's transactions in their order; those of a node in another process are read from the ledger."""
    found = {receipt.transaction: receipt for receipt in ending.cast.receipts}
    for step in order.life:
        transaction = step.position.transaction
        if transaction not in found and (receipt := ending.cast.stage.ledger.receipt(transaction)):
            found[transaction] = receipt
    return sorted(found.values(), key=lambda receipt: receipt.block)


def _manifest(ending: Ending) -> Manifest:
    return Manifest.decode((ending.cast.folder / "result" / "manifest.json").read_bytes())


def _provider_scores(ending: Ending) -> dict[str, Any]:
    path = ending.cast.folder / "provider" / "orders" / ending.order.hex() / Name.PROVIDER_SCORES
    return dict(json.loads(path.read_bytes())) if path.exists() else {}
