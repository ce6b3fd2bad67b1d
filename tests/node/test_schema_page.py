"""The page about schemas: its example is one."""

import json
import re
from pathlib import Path

from marketplace.buying.phrases import condition_of, constraint_text
from marketplace.protocol.schema import Schema

PAGE = Path(__file__).parent.parent.parent / "docs" / "schema.md"


def test_the_example_is_a_schema_and_the_conditions_fit_it() -> None:
    text = PAGE.read_text()
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found
    schema = Schema.of_document(json.loads(found[1]))
    assert [constraint_text(constraint) for constraint in schema.constraints] == [
        "diagnosed is at most died",
        "where stage is III or IV, grade is there",
    ]
    asked = re.findall(r"--only '([^']+)'", text)
    assert len(asked) == 2
    assert all(condition_of(condition, schema) for condition in asked)
