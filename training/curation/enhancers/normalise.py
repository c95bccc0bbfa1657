"""One spelling for what looks the same: width, spaces, line ends and lookalike letters, with nothing unseen in it."""

import re
import unicodedata
from collections.abc import Sequence

from pydantic import Field

from ..enhancer import AS_IS, Change, Enhancer
from ..pool import Context, Pool

BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, what steers the direction of writing, tags, halves of a character, and spaces without a width."""
JOINERS = re.compile("(?<![\u0300-\U0010ffff])[\u200c\u200d]+|[\u200c\u200d]+(?![\u0300-\U0010ffff])")
"""Joiners beside Latin text; in Persian, in the scripts of India and between emoji they mean something."""
MEANING = ("<super>", "<sub>", "<fraction>")
"""Compatibility forms that are not only another look: a square is not a two."""
WORD = re.compile(r"\w+")
LATIN = re.compile("[A-Za-z]")
LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0405\u0406\u0408\u0430\u0435\u043e\u0440"
    "\u0441\u0443\u0445\u0455\u0456\u0458\u0501\u051b\u051d\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d"
    "\u039f\u03a1\u03a4\u03a7\u03bf",
    "ABEKMHOPCTXSIJaeopcyxsijdqwABEZHIKMNOPTXo",
)
"""Cyrillic and Greek letters that cannot be told from Latin ones by looking (Unicode Technical Standard 39)."""
GAP = re.compile(r"(?<=\S) {2,}(?=\S)")


class Normalise(Enhancer):
    """Write every sample in one spelling, and refuse one of which nothing is left.

    Unicode's form NFKC but for superscripts, subscripts and fractions, which mean something; odd line ends and spaces
    become plain ones, space at the ends of lines goes; letters of another script become Latin in words that are partly
    Latin; characters that cannot be seen go, since they hide words from filters and instructions from people. Of a
    conversation only the answer is written anew.
    """

    lookalikes: bool = Field(default=True)
    """Whether lookalike letters in words of two scripts become Latin."""
    gaps: bool = Field(default=False)
    """Whether several spaces within a line become one, which breaks tables and aligned text."""

    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Give the new spelling where there is one."""
        del context
        return [self._change(row.question if isinstance(row.question, str) else None, row.answer) for row in pool.rows]

    def clean(self, text: str) -> str:
        """Give a text in its one spelling; one that is in it stays as it is."""
        seen = JOINERS.sub("", UNSEEN.sub("", BREAKS.sub("\n", text)))
        folded = _compose(seen)
        if self.lookalikes:
            folded = _compose(WORD.sub(_latin, folded))
        lines = [line.rstrip() for line in folded.split("\n")]
        if self.gaps:
            lines = [GAP.sub(" ", line) for line in lines]
        return "\n".join(lines).strip()

    def _change(self, question: str | None, answer: str) -> Change:
        asked, said = None if question is None else self.clean(question), self.clean(answer)
        if asked == "" or not said:
            return Change(refused=f"nothing is left of the {'question' if asked == '' else 'answer'}")
        if asked == question and said == answer:
            return AS_IS
        return Change(question=None if asked == question else asked, answer=None if said == answer else said)


def _compose(text: str) -> str:
    """Form NFKC, with what would change its meaning in it left alone."""
    if text.isascii():
        return text
    kept = {c for c in set(text) if unicodedata.decomposition(c).startswith(MEANING)}
    if not kept:
        return unicodedata.normalize("NFKC", text)
    parts = re.split(f"([{re.escape(''.join(sorted(kept)))}])", text)
    return "".join(part if part in kept else unicodedata.normalize("NFKC", part) for part in parts)


def _latin(word: re.Match[str]) -> str:
    text = word[0]
    return text.translate(LOOKALIKES) if not text.isascii() and LATIN.search(text) else text
