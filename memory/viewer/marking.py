"""What has become of a student since it was trained, beside its digest: tainted, weights removed."""

from collections.abc import Mapping

from ..ledger import Ledger
from ..retraction import Replacement, Retraction, current
from .markup import code, safe, several


def marked(digest: str, marks: Mapping[str, str]) -> str:
    """A student's digest with its marks, HTML."""
    return f'{code(digest)} <b class="no">{safe(marks[digest])}</b>' if digest in marks else code(digest)


def warning(ledger: Ledger) -> str:
    """One paragraph on what was withdrawn and how the student stands, HTML; nothing where nothing was."""
    withdrawn = ledger.read(Retraction)
    if not withdrawn:
        return ""
    said = ", ".join(f"{safe(r.what)} {code(r.name)}" for r in withdrawn)
    now, tried = current(ledger), ledger.read(Replacement)
    if now is None or not (now.tainted or now.clean):
        stands = "The student did not learn from it."
    elif now.clean and not now.tainted:
        stands = f"A clean student, {code(now.digest)}, took the place of the tainted one."
    else:
        why = f" No clean one took its place: {safe(tried[-1].reason)}." if tried else ""
        stands = f"The student that was promoted is tainted.{why}"
    return f'<p class="under"><strong>{several(len(withdrawn), "retraction")}: {said}. {stands}</strong></p>'
