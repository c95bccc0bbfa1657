"""Models that a verifier asks once its session is over: what they said in the session is not asked again."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..memory.account import ANSWERS, Account, paying
from ..memory.budget import Budget
from ..memory.inference import Model, Models, Role
from .parts import Parts


@contextmanager
def asking(run: Path, parts: Parts) -> Generator[Models]:
    """Serve whom the verifier asks, with the answers that a run has stored; nobody where it is a program.

    Args:
        run: the run's folder; what is asked anew is stored and booked there.
        parts: of its scenario.

    Raises:
        UnavailableError: one is not there.
    """
    with ExitStack() as stack:
        stack.enter_context(paying(Account(run / ANSWERS, Budget())))
        models: dict[Role, Model] = {}
        for role in sorted(parts.verifier.asks):
            models[role] = parts.models[role].serve(role)
            stack.callback(models[role].close)
        yield models
