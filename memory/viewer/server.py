"""Serving the pages: on this machine alone, unless a token is given."""

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from ..errors import RunError, UsageError
from ..stopping import STOP
from .guard import LEAST, loopback
from .pages.exam import Tasks
from .places import Library


def serve(
    runs: Path | list[Path],
    *,
    host: str,
    port: int,
    token: str | None,
    say: Callable[[str], None],
    tasks: Tasks | None = None,
    by: str | None = None,
) -> None:
    """Show runs until asked to stop.

    Args:
        runs: a folder of runs, or the folders of some.
        host: where to listen.
        port: on which port; 0 takes a free one.
        token: secret every visitor must bring.
        say: takes lines for the person who started it.
        tasks: draws the items of an exam again.
        by: who decides on what waits for a review, which takes a token; one is made up where none is given.

    Raises:
        UsageError: another machine could see the runs and there is no token, or the address is taken.
        RunError: a folder that is not a run.
    """
    import uvicorn

    from .app import application

    _check(runs, host, token)
    # shown once, to whoever started it; one that was given is known to them
    shown_token = "…" if token else (token := secrets.token_urlsafe(24)) if by is not None else ""
    does = f"it takes decisions of {by}" if by is not None else "it only reads"
    with _listening(host, port) as listening:
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listening.getsockname()[1]}/"
        say(f"viewer at {address}{f'?token={shown_token}' if token else ''}; {does}; stop it with Ctrl-C")
        config = uvicorn.Config(
            application(Library(runs), host=host, token=token, tasks=tasks, by=by),
            log_level="warning",
            access_log=False,  # addresses may hold the token
            server_header=False,
            proxy_headers=False,
            lifespan="off",
        )
        with STOP.deferred():
            uvicorn.Server(config).run(sockets=[listening])


def _check(runs: Path | list[Path], host: str, token: str | None) -> None:
    for run in runs if isinstance(runs, list) else []:
        if not (run / "session.json").is_file():
            raise RunError(f"{run}: not a run of evolvent; `evolvent runs list` shows the ones there are")
    if token is None and not loopback(host):
        raise UsageError(
            f"host {host!r} lets other machines in; give --token (or EVOLVENT_VIEW_TOKEN), or keep 127.0.0.1"
        )
    if token is not None and len(token) < LEAST:
        raise UsageError(f"a token of {len(token)} characters can be guessed; give at least {LEAST}")


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host!r}, port {port} ({error.strerror or error}); try --port 0 for a free one"
        ) from None
