"""The pages as a web application: which address gives which page, and what a reader is told when there is none."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..errors import EvolventError
from ..reading import Run
from .figures import doing
from .frame import Page, frame
from .guard import Guard
from .markup import safe
from .pages import exam, record, round, sample, samples, session, sessions, skill, trace, weakness
from .places import Library

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
}
"""Pages of a run, by what follows its name."""
ASSETS = {
    "page.css": "text/css",
    "view.css": "text/css",
    "view.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def application(
    library: Library, *, host: str = "127.0.0.1", token: str | None = None, tasks: exam.Tasks | None = None
) -> Starlette:
    """Build the viewer.

    Args:
        library: the runs it shows.
        host: name or address it listens on.
        token: secret every visitor must bring; needed where other machines can reach it.
        tasks: draws the items of an exam again, which takes rooms above this one.
    """

    def of_run(show: Show) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            with Run.load(library.find(request.path_params["run"])) as run:
                return HTMLResponse(frame(show(run, {**request.query_params, **request.path_params})))

        return answer

    def front(request: Request) -> Response:
        return HTMLResponse(frame(sessions.page(library, request.query_params)))

    def pulses(_: Request) -> Response:
        return JSONResponse(beats(library))

    def parts(request: Request) -> Response:
        with Run.load(library.find(request.path_params["run"])) as run:
            return HTMLResponse(trace.parts(run, {**request.query_params, **request.path_params}))

    def pulse(request: Request) -> Response:
        with Run.load(library.find(request.path_params["run"])) as run:
            return JSONResponse(beat(run))

    routes = [Route("/", front), Route("/pulse", pulses), Route("/assets/{name}", _asset)]
    routes += [Route("/runs/{run}/pulse", pulse), Route("/runs/{run}/trace/{id}/parts", parts)]
    pages: dict[str, Show] = {**PAGES, "/exams": partial(exam.page, tasks=tasks)}
    routes += [Route(f"/runs/{{run}}{path}", of_run(show)) for path, show in pages.items()]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, host=host, token=token)],
        exception_handlers={EvolventError: _missing, 404: _missing, 405: _missing},
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
        with contextlib.suppress(EvolventError), Run.load(path) as run:
            if run.status == "running":
                found[run.name] = beat(run)
    return found


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return _page_of_error(f"no file {name!r}", 404)
    content = (resources.files(__package__ or "evolvent.memory.viewer") / "assets" / name).read_bytes()
    return Response(content, media_type=ASSETS[name])


async def _missing(_: Request, error: Exception) -> Response:
    known = isinstance(error, EvolventError)
    return _page_of_error(str(error) if known else "no such page; the first one lists all sessions", 404)


def _page_of_error(reason: str, status: int) -> Response:
    said = f'<p class="lead">{safe(reason)}</p>'
    return HTMLResponse(frame(Page("Not here", [said], trail=[("/", "sessions")])), status)
