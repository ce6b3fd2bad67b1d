"""How much Solidity there is: lines that hold code, counted without comments, NatSpec and empty lines."""

import re
from collections.abc import Mapping

_TEXT_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def code_lines(source: str) -> int:
    """Lines of `source` with anything on them but comments."""
    bare = _TEXT_OR_COMMENT.sub(_without_comment, source)
    return sum(1 for line in bare.splitlines() if line.strip())


def _without_comment(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else "\n" * found[0].count("\n")


def table(sources: Mapping[str, str], runtime_bytes: Mapping[str, int]) -> str:
    """Code lines of our own sources, the interfaces apart from what implements them, and the sizes of runtime code."""
    own = {name.rsplit("/", 1)[-1]: text for name, text in sources.items() if name.startswith("contracts/")}
    counted = {name: code_lines(text) for name, text in own.items()}
    interfaces = {name for name in own if re.match(r"I[A-Z]", name)}
    rows = [f"{'file':<18}{'lines':>7}{'code':>7}{'runtime bytes':>15}"]
    for name, count in sorted(counted.items()):
        size = runtime_bytes.get(name.removesuffix(".sol"))
        length = len(own[name].splitlines())
        rows.append(f"{name:<18}{length:>7,}{count:>7,}{f'{size:,}' if size else '':>15}")
    of_interfaces = sum(counted[name] for name in interfaces)
    rows += ["", f"{'implementation':<18}{sum(counted.values()) - of_interfaces:>14,}"]
    rows += [f"{'interfaces':<18}{of_interfaces:>14,}"]
    return "\n".join(rows)
