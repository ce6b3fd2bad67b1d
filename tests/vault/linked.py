"""Two small schemas whose rows hang together under persons, and records of nobody for them."""

import json
from decimal import Decimal
from pathlib import Path
from random import Random

from marketplace.protocol.constraints import Order
from marketplace.protocol.schema import Category, Number, Schema, Table, Timeline

CLINIC = Schema(
    (
        Category("sex", ("female", "male"), missing=False),
        Number("followed", Decimal(0), Decimal(400), Decimal(10), missing=False),
        Number("day", Decimal(0), Decimal(400), Decimal(10), missing=False),
        Number("bilirubin", Decimal(0), Decimal(20), Decimal(1), missing=True),
        Category("edema", ("no", "yes"), missing=False),
    ),
    person="patient",
    rows_per_person=4,
    constraints=(Order("day", "followed"),),
    timeline=Timeline("day", strict=True),
    fixed=("sex", "followed"),
)
"""Visits of patients, in one table."""

LIVER = Schema(
    (
        Category("sex", ("female", "male"), missing=False),
        Number("age", Decimal(0), Decimal(90), Decimal(10), missing=True),
    ),
    person="patient",
    rows_per_person=1,
    tables=(
        Table(
            "labs",
            Schema(
                (
                    Number("days", Decimal(-50), Decimal(50), Decimal(1), missing=False),
                    Category("test", ("fib4", "hdl"), missing=False),
                    Number("value", Decimal(0), Decimal(30), Decimal(1), missing=True),
                ),
                person="patient",
                rows_per_person=5,
                timeline=Timeline("days", strict=False),
            ),
        ),
    ),
)
"""Persons, and under them their laboratory tests, in a table of their own."""

HIDDEN = "hush-hush-"


def clinic_records(path: Path, persons: int = 120, seed: int = 3) -> Path:
    """Visits of so many patients, one to six each, in the order of a shuffled file. Bilirubin goes on from visit to visit."""
    choices, lines = Random(seed), list[str]()
    for person in range(persons):
        sex, level = choices.choice(("female", "male")), choices.randrange(10)
        days = sorted(choices.sample(range(0, 400, 10), choices.randrange(1, 7)))
        for day in days:
            level = min(20, max(0, level + choices.randrange(-1, 3)))
            shown = "" if choices.random() < 0.1 else str(level)
            lines.append(f"{HIDDEN}{person},{sex},{days[-1]},{day},{shown},{'yes' if level > 8 else 'no'}")
    choices.shuffle(lines)
    path.write_text("\n".join(["patient,sex,followed,day,bilirubin,edema", *lines]) + "\n")
    return path


def liver_records(folder: Path, persons: int = 150, seed: int = 5) -> tuple[Path, dict[str, Path]]:
    """The main table of so many persons and their tests, none to nine each."""
    choices = Random(seed)
    main, labs = ["patient,sex,age"], list[str]()
    for person in range(persons):
        sex = choices.choice(("female", "male"))
        main.append(f"{HIDDEN}{person},{sex},{choices.choice(('', *(str(10 * decade) for decade in range(10))))}")
        level = choices.randrange(5, 25)
        for _ in range(choices.randrange(10)):
            level = min(30, max(0, level + choices.randrange(-2, 3)))
            labs.append(f"{HIDDEN}{person},{choices.randrange(-50, 51)},{choices.choice(('fib4', 'hdl'))},{level}")
    choices.shuffle(labs)
    (folder / "main.csv").write_text("\n".join(main) + "\n")
    (folder / "labs.csv").write_text("\n".join(["patient,days,test,value", *labs]) + "\n")
    return folder / "main.csv", {"labs": folder / "labs.csv"}


def declared(schema: Schema, path: Path) -> Path:
    """The schema in a file, as a provider declares it."""
    path.write_text(json.dumps(schema.document()))
    return path
