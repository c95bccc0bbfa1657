"""Text as it is compared: one spelling for everything that looks the same."""

import re
import unicodedata

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_NOT_WORD = re.compile(r"[^\w+\-*/=^%]+")
"""Everything but words and operators: `x-1` and `x+1` are different questions."""
# Latin letters that Cyrillic and Greek ones are mistaken for
_LOOKALIKE = str.maketrans("аеорсухіјѕԁɡԛԝһкмтвнαεορτυχικνη", "aeopcyxijsdgqwhkmtbhaeoptuxiknn")


def normal(text: str) -> str:
    """Fold width, case, lookalike letters, invisible characters and punctuation."""
    if text.isascii():
        # nothing to fold but case
        return _NOT_WORD.sub(" ", text.lower()).strip()
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().translate(_LOOKALIKE)
    return _NOT_WORD.sub(" ", folded).strip()
