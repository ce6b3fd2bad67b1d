"""One self-contained HTML page: no scripts, nothing fetched from anywhere, every text escaped, the same bytes always."""

import base64
import html
from collections.abc import Sequence

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #222; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .4rem; border-bottom: 1px solid #ddd; padding-bottom: .2rem; }
p { margin: .5rem 0; max-width: 46rem; }
.lead { color: #555; margin-top: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.facts div { background: #f3f6f9; border-radius: 6px; padding: .6rem .8rem; }
.facts b { display: block; font-size: 1.3rem; }
.facts span, small, .note { color: #555; font-size: .88rem; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .93rem; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #e6e6e6; vertical-align: top; }
th { font-weight: 600; color: #444; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { display: block; }
ul { max-width: 46rem; padding-left: 1.2rem; }
li { margin: .25rem 0; }
img { width: 100%; height: auto; border: 1px solid #e6e6e6; border-radius: 6px; }
.banner { background: #8c1c13; color: #fff; padding: .7rem 1rem; border-radius: 6px; margin-bottom: 1.4rem; }
.weak { color: #8c1c13; font-weight: 600; }
code { overflow-wrap: anywhere; font-size: .85rem; }
.wide { overflow-x: auto; }
.wide > svg { min-width: 28rem; display: block; }
svg { background: #fff; border-radius: 6px; }
@media (prefers-color-scheme: dark) {
  body { color: #e3e6e9; background: #15181b; }
  .lead, .facts span, small, .note { color: #aab2ba; }
  .facts div { background: #22272c; }
  h2, th, td { border-color: #3b4249; }
  th { color: #ced4da; }
  .weak { color: #ff9d8f; }
}
@media print {
  :root { color-scheme: light; }
  body { margin: 0; max-width: none; color: #222; background: #fff; }
  h2 { break-after: avoid; }
  tr, img, svg { break-inside: avoid; }
  .wide { overflow: visible; }
  .wide > svg { min-width: 0; }
}
"""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, body: Sequence[str]) -> bytes:
    """A whole page in UTF-8. `title` is text; the parts of `body` are HTML."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    ).encode()


def text(value: object) -> str:
    """`value` as HTML text, safe inside elements and quoted attributes."""
    return html.escape(str(value), quote=True)


def section(title: str, *parts: str) -> str:
    """A heading (text) with what stands under it (HTML)."""
    return f"<h2>{text(title)}</h2>\n" + "\n".join(parts)


def paragraph(sentence: str) -> str:
    """A paragraph of text."""
    return f"<p>{text(sentence)}</p>"


def points(sentences: Sequence[str]) -> str:
    """A list of sentences of text."""
    return "<ul>" + "".join(f"<li>{text(sentence)}</li>" for sentence in sentences) + "</ul>"


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Big numbers with what they are, both text."""
    return (
        '<div class="facts">'
        + "".join(f"<div><b>{text(b)}</b><span>{text(a)}</span></div>" for a, b in pairs)
        + "</div>"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table. `heads`: text; `rows`: cells of HTML; `numbers`: which columns are aligned as numbers."""
    kinds = [' class="number"' if index in numbers else "" for index in range(len(heads))]
    head = "".join(f'<th scope="col"{kind}>{text(name)}</th>' for kind, name in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>\n"
        for row in rows
    )
    return wide(f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>")


def wide(part: str) -> str:
    """HTML that scrolls by itself where a screen is narrower than it."""
    return f'<div class="wide">{part}</div>'


def image(png: bytes, description: str) -> str:
    """A PNG inside the page. `description`: text for whoever cannot see it."""
    return f'<img alt="{text(description)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
