"""What waits for a person, ranked, with forms where decisions are taken; and what people have decided."""

import html
from collections.abc import Mapping

from ...choices import Choice, Standing, counted, decide, parse, standing
from ...errors import RunError
from ...queue import Entry
from ...reading import Run
from ...records import Weakness
from ..frame import Page, pager, plain
from ..markup import NOTHING, code, safe, section, several, table, visible
from ..places import link, to, whole

SHOWN = 20
"""Samples on one page; the next ones come once these are decided."""
PAST = 50
"""Decisions on one page."""
_PAST = """
select v.seq, s.id, v.round, json_extract(s.body, '$.task.skill'), json_extract(v.body, '$.action'),
  json_extract(v.body, '$.by'), json_extract(v.body, '$.reason'), json_extract(v.body, '$.edited')
from records v join records s on s.kind = 'sample' and s.id = v.subject
where v.kind = 'review' and v.seq > ? order by v.seq limit ?"""
WORDS = {"accept": "accepted", "edit": "edited", "reject": "rejected"}


def page(run: Run, asked: Mapping[str, str], *, mark: str | None = None, by: str = "") -> Page:
    """Show the queue and what was decided.

    Args:
        run: the run.
        asked: `sample` shows one of the queue again, `after` pages what was decided.
        mark: of our forms; None where no decision is taken.
        by: who decides here.
    """
    try:
        now = standing(run)
    except RunError as error:
        head, body = f'<p class="about">{safe(error)}.</p>', list[str]()
    else:
        head, body = _waiting(run, now, asked, mark, by)
    body.append(_past(run, asked))
    trail = [("/", "sessions"), (to(run.name), run.session.name)]
    return Page("Review", body, head=head, trail=trail, run=run.name)


def take(run: Run, given: Mapping[str, str], *, by: str) -> Choice:
    """Write down one decision that a form sent.

    Raises:
        UsageError: it is none, or its sample does not wait.
    """
    texts = ("prompt", "answer", "reasoning")
    now = standing(run)
    entry = next((e for e in now.entries if e.sample.id == given.get("sample")), None)
    olds = dict(zip(texts, _texts(entry), strict=True)) if entry else {}
    # a form sends every text, and a browser its own ends of lines
    new = {name: given[name] for name in texts if name in given and given[name] != olds.get(name)}
    rest = {name: text for name, text in given.items() if name not in texts}
    choice = parse({**rest, **new, "by": by}, where="this form")
    decide(run, [choice], seen=now)
    return choice


def _texts(entry: Entry) -> tuple[str, str, str]:
    origin = entry.sample.origin
    own = (entry.sample.task.prompt, entry.sample.task.answer, origin.reasoning if origin else "")
    return own[0].replace("\r\n", "\n"), own[1].replace("\r\n", "\n"), own[2].replace("\r\n", "\n")


def _waiting(run: Run, now: Standing, asked: Mapping[str, str], mark: str | None, by: str) -> tuple[str, list[str]]:
    counts, left = counted([*now.choices.values()]), now.undecided
    said = ", ".join(f"{count:,} {WORDS[action]}" for action, count in counts.items())
    done = now.choices.get(asked.get("decided", ""))
    lead = f'<p class="score"><span>{len(left):,}</span> waiting</p><p class="under">Round {now.round}: {said}.</p>'
    lead += f'<p role="status">Sample {code(done.sample)} {WORDS[done.action]}.</p>' if done else ""
    how = "Those first whose review teaches most about the rest. "
    if not left:
        how = f"All is decided. Go on with {code(f'evolvent resume {run.path}')}. "
    how += (
        f"You decide as {code(by)}; a decision may be changed until the session goes on."
        if mark
        else (f"Decide with {code(f'evolvent review {run.path}')}, or start the viewer with {code('--review')}.")
    )
    again = [e for e in now.entries if e.sample.id == asked.get("sample")]
    shown = again or left[:SHOWN]
    body = [_entry(run, now, entry, number, mark) for number, entry in enumerate(shown, 1)]
    return f'{lead}<p class="about">{how}</p>', [*body, _decided(run, now)]


def _entry(run: Run, now: Standing, entry: Entry, number: int, mark: str | None) -> str:
    own, choice = entry.sample, now.choices.get(entry.sample.id)
    rows = [["prompt", _whole(own.task.prompt)], ["completion", _whole(own.completion)]]
    if own.weakness:
        hypothesis = run.ledger.get(Weakness, own.weakness).hypothesis
        rows.append(["against", link(to(run.name, "weaknesses", own.weakness), hypothesis or "an unnamed weakness")])
    rows += [
        [f"critique by {safe(c.judge)}", f"{'accepted' if c.accepted else 'refused'}: {code(c.reason)}"]
        for c in entry.critiques
    ]
    lead = (
        f"{link(to(run.name, 'samples', own.id), own.id[:8])}, {safe(own.task.skill)}; good with chance "
        f"{entry.chance:.2f}, {entry.information:.3f} bits expected of its review."
    )
    lead += f" So far {WORDS[choice.action]}." if choice else ""
    name = f"Sample {own.id[:8]}"
    shown = table(name, ["part", "text"], rows, kind="facts")
    return section(f"sample-{own.id}", f"{number}. {name}", lead, shown, _forms(run, entry, mark) if mark else "")


def _forms(run: Run, entry: Entry, mark: str) -> str:
    own = entry.sample
    parts = (
        [("answer", own.task.answer)] if own.task.talk else [("prompt", own.task.prompt), ("answer", own.task.answer)]
    )
    parts += [("reasoning", own.origin.reasoning)] if own.origin and own.origin.reasoning else []
    # a browser drops the first line break inside a textarea
    texts = "".join(
        f'<label>{name}<textarea name="{name}" rows="3" spellcheck="false">\n{html.escape(text)}</textarea></label>'
        for name, text in parts
    )
    why = '<label>why<input name="reason" maxlength="2000"{}></label>'
    accept = _form(run, entry, mark, "accept", "")
    reject = _form(run, entry, mark, "reject", why.format(" required"))
    edit = _form(run, entry, mark, "edit", texts + why.format(""))
    return f'<div class="deciding">{accept}{reject}<details><summary>edit it</summary>{edit}</details></div>'


def _form(run: Run, entry: Entry, mark: str, action: str, fields: str) -> str:
    hidden = {"mark": mark, "sample": entry.sample.id, "action": action}
    kept = "".join(f'<input type="hidden" name="{name}" value="{safe(value)}">' for name, value in hidden.items())
    return (
        f'<form class="decide {action}" method="post" action="{safe(to(run.name, "review"))}">{kept}{fields}'
        f'<button aria-label="{action} sample {entry.sample.id[:8]}">{action}</button></form>'
    )


def _whole(text: str) -> str:
    """A text a person decides on, all of it."""
    return f"<pre>{safe(visible(text))}</pre>"


def _decided(run: Run, now: Standing) -> str:
    """What is decided and may be changed: the last page of it, since files have no order of their own."""
    if not now.choices:
        return ""
    rows = [
        [
            link(to(run.name, "review", sample=id), id[:8]),
            WORDS[choice.action],
            safe(choice.by),
            code(choice.reason) if choice.reason else NOTHING,
        ]
        for id, choice in [*now.choices.items()][:PAST]
    ]
    more = len(now.choices) - len(rows)
    lead = "Not yet taken in; follow a sample to decide on it again."
    lead += f" {several(more, 'more decision')} not shown." if more else ""
    return section(
        "decided", "Decided", lead, table("Decided", ["sample", "decision", "by", "why"], rows, kind="texts list")
    )


def _past(run: Run, asked: Mapping[str, str]) -> str:
    found = run.ledger.rows(_PAST, whole(asked.get("after")) or 0, PAST + 1)
    if not found:
        return ""
    rows = [
        [
            link(to(run.name, "samples", id), id[:8]),
            str(round),
            safe(skill),
            WORDS.get(action, safe(action)) + (f", now {link(to(run.name, 'samples', new), new[:8])}" if new else ""),
            safe(by),
            code(reason) if reason else NOTHING,
        ]
        for _, id, round, skill, action, by, reason, new in found[:PAST]
    ]
    onward = to(run.name, "review", after=int(found[PAST - 1][0])) if len(found) > PAST else None
    head = ["sample", "round", "skill", "decision", "by", "why"]
    shown = table("Taken in", head, rows, kind="texts list")
    return plain("past", "<h2>Taken in</h2>", shown, pager("More decisions", (onward, "more")))
