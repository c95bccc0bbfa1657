"""Every error a person may meet, and the exit code it ends the program with.

EvolventError            1  the session failed
├── UsageError           2  something given to the program is wrong; nothing was written
│   ├── ScenarioError    2  a scenario file
│   ├── PartError        2  a part: unknown name, wrong setting
│   ├── RunError         2  a run directory: foreign, locked, changed, not writable
│   └── LedgerError      2  a ledger that cannot be read
├── UnavailableError     4  a model or an endpoint that is not there
└── BudgetError          5  a hard budget is spent; everything paid for is kept, and a larger one goes on

Messages name the value, the place and the way out, in lower case, without a full stop.
"""

from difflib import get_close_matches


class EvolventError(Exception):
    """The session failed."""

    exit_code = 1


class UsageError(EvolventError):
    """What was given to the program is wrong; nothing was written."""

    exit_code = 2


class ScenarioError(UsageError):
    """A scenario file that cannot be used."""


class PartError(UsageError):
    """A part that does not exist or does not take such a setting."""


class RunError(UsageError):
    """A run directory that cannot be used."""


class LedgerError(UsageError):
    """A ledger that cannot be read."""


class UnavailableError(EvolventError):
    """A model or an endpoint that is not there."""

    exit_code = 4


class BudgetError(EvolventError):
    """A hard budget is spent; the run is whole and goes on with a larger one."""

    exit_code = 5


def suggest(name: str, known: list[str]) -> str:
    """Give `"; did you mean 'numeric'?"` for the nearest known name, or nothing."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
