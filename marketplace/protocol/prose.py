"""Words that people write into public documents."""

from marketplace.errors import Invalid


def check_prose(text: object, where: str, most: int) -> None:
    """Raises `Invalid` unless `text` is 1 to `most` characters, printable but for line ends, and not blank."""
    if not isinstance(text, str) or not text.strip() or len(text) > most:
        raise Invalid(f"expected 1 to {most:,} characters of text in {where}; say it in words")
    if not all(line.isprintable() for line in text.split("\n")):
        raise Invalid(f"expected printable characters and line ends in {where}; remove the others")
