"""What a run recorded, as Arrow tables: one row per sample, attempt, round or span."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from .ledger import Ledger
from .origin import COMPLETION
from .records import Promotion, Round
from .reviews import JOIN, KEPT, REASON
from .spans import Spans

_SAMPLES = f"""
select s.round, json_extract(s.body, '$.arm'), s.id, json_extract(s.body, '$.task.skill'),
  json_extract(s.body, '$.task.prompt'), {COMPLETION}, json_extract(s.body, '$.weakness'),
  json_extract(s.body, '$.teacher'), json_extract(s.body, '$.recipe'), json_extract(s.body, '$.origin.operator'),
  json_extract(s.body, '$.task.talk'), {KEPT}, {REASON}
from records s left join records f on f.kind = 'fate' and f.subject = s.id {JOIN}
where s.kind = 'sample' and s.round between ? and ? order by s.seq"""  # noqa: S608 - a constant of ours
_ATTEMPTS = """
select round, id, json_extract(body, '$.task.skill'), json_extract(body, '$.task.prompt'),
  json_extract(body, '$.task.answer'), json_extract(body, '$.answer'), json_extract(body, '$.verdict.score'),
  json_extract(body, '$.verdict.reason'), json_extract(body, '$.purpose'), json_extract(body, '$.student')
from records where kind = 'attempt' and round between ? and ? order by seq"""
LAST = 1 << 30
"""No session has as many rounds."""

Fields = Sequence[tuple[str, str]]
"""Names of columns and of their Arrow types."""


class Table(Protocol):
    """What is used here of a `pyarrow.Table`, which comes without types."""

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        ...

    @property
    def schema(self) -> object:
        """Names and types of the columns."""
        ...

    def column(self, i: str) -> Any:
        """One column by its name."""
        ...

    def to_pylist(self) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        ...

    def to_pandas(self) -> Any:
        """Give a pandas data frame."""
        ...


def samples(ledger: Ledger, *, round: int | None = None) -> Table:
    """One row per sample: what it says, what it answers, and whether it was kept; `talk` is JSON."""
    text = ("arm", "sample", "skill", "prompt", "completion", "weakness", "teacher", "recipe", "operator", "talk")
    fields = [("round", "int64"), *((n, "string") for n in text), ("kept", "bool"), ("reason", "string")]
    rows = ledger.rows(_SAMPLES, *_between(round))
    return _table(fields, ([*row[:-2], None if row[-2] is None else bool(row[-2]), row[-1]] for row in rows))


def attempts(ledger: Ledger, *, round: int | None = None) -> Table:
    """One row per answer: the task, what the student said, and the verdict; `score` is 0 wrong, 1 right."""
    fields = [("round", "int64"), *((n, "string") for n in ("attempt", "skill", "prompt", "expected", "answer"))]
    fields += [("score", "double"), *((n, "string") for n in ("reason", "purpose", "student"))]
    return _table(fields, ledger.rows(_ATTEMPTS, *_between(round)))


def rounds(ledger: Ledger) -> Table:
    """One row per training round: its data, its size, and the decision on what it made; none for a control arm."""
    decided = {p.candidate: p for p in ledger.read(Promotion)}
    fields = [("round", "int64"), ("arm", "string"), ("start", "string"), ("checkpoint", "string")]
    fields += [("dataset", "string"), *((n, "int64") for n in ("samples", "steps", "tokens"))]
    fields += [("loss", "double"), ("promoted", "bool"), ("gained", "int64"), ("lost", "int64")]
    fields += [("p_value", "double"), ("alpha", "double"), ("reason", "string")]
    return _table(fields, (_round(r, decided) for r in ledger.read(Round)))


def spans(trace: Spans) -> Table:
    """One row per span that has ended; `attributes` is JSON."""
    fields = [(n, "string") for n in ("span", "parent", "name")]
    fields += [
        ("started", "double"),
        ("seconds", "double"),
        ("status", "string"),
        ("attributes", "string"),
    ]
    rows = (
        (s.id, s.parent, s.name, s.started, s.seconds, s.status, json.dumps(s.attributes, ensure_ascii=False))
        for some in trace.all()
        for s in some
    )
    return _table(fields, rows)


def _round(round: Round, decided: Mapping[str, Promotion]) -> list[Any]:
    decision = decided.get(round.checkpoint) if round.arm == "targeted" else None
    own = [round.number, round.arm, round.start, round.checkpoint, round.dataset, round.samples, round.steps]
    own += [round.tokens, round.loss]
    if decision is None:
        return [*own, *[None] * 6]
    return [*own, decision.promoted, decision.gained, decision.lost, decision.p_value, decision.alpha, decision.reason]


def _between(round: int | None) -> tuple[int, int]:
    return (0, LAST) if round is None else (round, round)


def _table(fields: Fields, rows: Iterable[Sequence[Any]]) -> Table:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    kinds = [(name, pa.type_for_alias(kind)) for name, kind in fields]
    arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, kinds, strict=True)]
    return cast("Table", pa.Table.from_arrays(arrays, schema=pa.schema(kinds)))
