"""How identifiers are written before persons of several parties are matched by them: declared, and alike at every party."""

from enum import StrEnum
from unicodedata import normalize


class Spelling(StrEnum):
    """What of an identifier counts. `TRIMMED`: all of it but white space around it, in Unicode's composed form (NFC).
    `LETTERS_AND_DIGITS`: its letters, large, and its digits, in the form that has one character for compatible ones (NFKC)."""

    TRIMMED = "trimmed"
    LETTERS_AND_DIGITS = "letters and digits"

    def of(self, identifier: str) -> str:
        """What `identifier` is compared by; empty where nothing of it counts, and then it is nobody's.

        Identifiers that were different may become the same, and then are of one person. Source: Unicode Standard Annex 15.
        """
        if self is Spelling.TRIMMED:
            return normalize("NFC", identifier).strip()
        large = normalize("NFKC", normalize("NFKC", identifier).upper())
        return normalize("NFKC", "".join(character for character in large if character.isalnum()))
