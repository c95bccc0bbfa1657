"""The pages as a web application: which address gives which page, and what a reader is told when there is none."""

import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Generator, Mapping
from functools import partial
from importlib import resources

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ..errors import EvolventError, UsageError
from ..reading import Run
from . import forms
from .figures import doing
from .frame import Page, frame
from .guard import Guard
from .markup import safe
from .pages import compare, exam, record, review, round, sample, samples, session, sessions, skill, trace, weakness
from .places import Library, to

logger = logging.getLogger(__name__)

Show = Callable[[Run, Mapping[str, str]], Page]

PAGES: dict[str, Show] = {
    "": session.page,
    "/rounds/{round}": round.page,
    "/skill": skill.page,
    "/weaknesses/{id}": weakness.page,
    "/samples": samples.page,
    "/samples/{id}": sample.page,
    "/exams": exam.page,
    "/trace": trace.page,
    "/trace/{id}": trace.span,
    "/records/{id}": record.page,
    "/review": review.page,
}
"""Pages of a run, by what follows its name."""
ASSETS = {
    "page.css": "text/css",
    "view.css": "text/css",
    "view.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def application(
    library: Library,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    tasks: exam.Tasks | None = None,
    by: str | None = None,
) -> Starlette:
    """Build the viewer.

    Args:
        library: the runs it shows.
        host: name or address it listens on.
        token: secret every visitor must bring; needed where other machines can reach it.
        tasks: draws the items of an exam again, which takes rooms above this one.
        by: who decides on what waits for a review; None where no decision is taken. It needs a token.
    """

    def of_run(show: Callable[[Run, Mapping[str, str]], Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            with _opened(library, request.path_params["run"]) as run:
                return show(run, {**request.query_params, **request.path_params})

        return answer

    def front(request: Request) -> Response:
        return HTMLResponse(frame(sessions.page(library, request.query_params)))

    def both(request: Request) -> Response:
        with guarded("one of the two"):
            return HTMLResponse(frame(compare.page(library, request.query_params)))

    def pulses(_: Request) -> Response:
        return JSONResponse(beats(library))

    pages: dict[str, Show] = {**PAGES, "/exams": partial(exam.page, tasks=tasks)}
    if token is not None and by is not None:
        pages["/review"] = partial(review.page, mark=forms.mark(token), by=by)
    routes = [Route("/", front), Route("/compare", both), Route("/pulse", pulses), Route("/assets/{name}", _asset)]
    routes.append(Route("/runs/{run}/pulse", of_run(lambda run, _: JSONResponse(beat(run)))))
    routes.append(
        Route("/runs/{run}/trace/{id}/parts", of_run(lambda run, asked: HTMLResponse(trace.parts(run, asked))))
    )
    if token is not None and by is not None:
        routes.append(Route("/runs/{run}/review", _taking(library, token, by), methods=["POST"]))
    routes += [Route(f"/runs/{{run}}{path}", of_run(partial(_framed, show))) for path, show in pages.items()]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, host=host, token=token, writes=by is not None)],
        exception_handlers={_Unreadable: _broken, EvolventError: _missing, 404: _missing, 405: _missing},
    )


def beat(run: Run) -> dict[str, str | int]:
    """What changes whenever a session has got further."""
    step = doing(run.ledger)
    return {
        "status": run.status,
        "step": f"{step[0]} {step[1]} {'done' if step[2] else 'begun'}" if step else "",
        "spans": run.trace.count(),
    }


def beats(library: Library) -> dict[str, dict[str, str | int]]:
    """The beats of the newest sessions that go on; one that ends or begins changes what there is."""
    found: dict[str, dict[str, str | int]] = {}
    for path in library.all()[: sessions.SHOWN]:
        with contextlib.suppress(EvolventError, OSError, sqlite3.DatabaseError), Run.load(path) as run:
            if run.status == "running":
                found[run.name] = beat(run)
    return found


class _Unreadable(EvolventError):
    """A run holds something that no session wrote."""


@contextlib.contextmanager
def _opened(library: Library, name: str) -> Generator[Run]:
    with guarded(name), Run.load(library.find(name)) as run:
        yield run


@contextlib.contextmanager
def guarded(name: str) -> Generator[None]:
    """Let what cannot be read of a run cost a page, not the viewer."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, sqlite3.DatabaseError) as error:
        logger.exception("%s cannot be shown", name)
        reason = (str(error).splitlines() or [""])[0]
        raise _Unreadable(f"{name}: something in this run cannot be read ({type(error).__name__}: {reason})") from error


def _framed(show: Show, run: Run, asked: Mapping[str, str]) -> Response:
    return HTMLResponse(frame(show(run, asked)))


def _taking(library: Library, token: str, by: str) -> Callable[[Request], Awaitable[Response]]:
    """Takes a decision that a form of ours sends."""

    def taken(name: str, given: Mapping[str, str]) -> Response:
        with _opened(library, name) as run:
            choice = review.take(run, given, by=by)
            return RedirectResponse(to(run.name, "review", decided=choice.sample), 303)

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(taken, request.path_params["run"], await forms.fields(request, token=token))
        except UsageError as error:
            return _page_of_error(str(error), 403 if isinstance(error, forms.FormError) else 409)

    return answer


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return _page_of_error(f"no file {name!r}", 404)
    content = (resources.files(__package__ or "evolvent.memory.viewer") / "assets" / name).read_bytes()
    return Response(content, media_type=ASSETS[name])


async def _missing(_: Request, error: Exception) -> Response:
    known = isinstance(error, EvolventError)
    return _page_of_error(str(error) if known else "no such page; the first one lists all sessions", 404)


async def _broken(_: Request, error: Exception) -> Response:
    return _page_of_error(str(error), 500)


def _page_of_error(reason: str, status: int) -> Response:
    said = f'<p class="lead">{safe(reason)}</p>'
    return HTMLResponse(frame(Page("Not here", [said], trail=[("/", "sessions")])), status)
