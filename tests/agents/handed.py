"""A run with students on disk, to hand on, and a Hub that takes what is sent."""

import asyncio
import base64
import contextlib
import json
import shutil
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from aiohttp import web

from evolvent.memory import files
from evolvent.memory.records import Session
from evolvent.scenarios.loader import parse
from evolvent.training import student

from ..memory.runs import make_run, story


def make_students(folder: Path) -> Path:
    """An untrained student."""
    scenario = parse({"name": "mini", "source": "arithmetic", "skills": {"carry": {}}}, where="test")
    small = scenario.student.model_copy(update={"hidden": 32, "layers": 1, "heads": 1})
    student.build(small, folder / "student", seed=0)
    return folder / "student"


def make_shared(folder: Path, built: Path, text: str = "fails where a digit carries", prompt: str = "17+25") -> Path:
    """One finished round of `story`, with students where a session puts them and the scenario it was begun with."""
    run = make_run(folder, story(text, prompt))
    skills = {"carry": {"task": {"operation": "add"}}, "plain": {"guard": True, "task": {"operation": "add"}}}
    scenario = parse({"name": "mini", "description": text, "source": "arithmetic", "skills": skills}, where="test")
    settings = {"file": "mini.toml", "overrides": [f"description={text}"], "source": ""}
    begun = Session(name="mini", scenario=scenario.hash, seed=3, limit=None, graph="g", settings=settings)
    stored = {"status": "finished", "session": begun.model_dump(mode="json"), "pid": -1}
    (run / "session.json").write_text(json.dumps(stored))
    (run / "scenario.resolved.json").write_text(json.dumps({"scenario": scenario.model_dump(mode="json")}))
    (run / "scenario.toml").write_text('name = "mini"\n')
    for sealed, place in ((run / "base", run / "base"), (run / "rounds/001", run / "rounds/001/model")):
        shutil.copytree(built, place)
        files.seal(sealed)
    return run


class Hub:
    """As much of the Hub as an upload asks for."""

    def __init__(self) -> None:
        self.url = ""
        self.private: dict[str, bool] = {}
        """Repositories by kind and name, and whether others see them not."""
        self.held: dict[str, bytes] = {}
        """Files by repository and path."""
        self.tokens: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._watch], client_max_size=1 << 26)
        repo = "/api/{kind:models|datasets}/{owner}/{name}"
        app.router.add_get(repo, self._info)
        app.router.add_get(f"{repo}/revision/main", self._info)
        app.router.add_post("/api/repos/create", self._create)
        app.router.add_post("/api/validate-yaml", self._validate)
        app.router.add_post(f"{repo}/preupload/main", self._modes)
        app.router.add_post(f"{repo}/commit/main", self._commit)
        return app

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.tokens.add(request.headers.get("Authorization", ""))
        return await handler(request)

    def _name(self, request: web.Request) -> str:
        return "{kind}/{owner}/{name}".format(**request.match_info)

    async def _info(self, request: web.Request) -> web.Response:
        name = self._name(request)
        if name not in self.private:
            return web.json_response({"error": "none"}, status=404, headers={"X-Error-Code": "RepoNotFound"})
        told = {
            "id": name.partition("/")[2],
            "private": self.private[name],
            "sha": "0" * 40,
            "siblings": [],
            "tags": [],
        }
        return web.json_response(told)

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        name = f"{asked['organization']}/{asked['name']}"
        self.private[f"{asked.get('type', 'model')}s/{name}"] = asked.get("private") or (
            asked.get("visibility") == "private"
        )
        return web.json_response({"url": f"{self.url}/{name}", "id": name})

    async def _validate(self, _: web.Request) -> web.Response:
        return web.json_response({"warnings": [], "errors": []})

    async def _modes(self, request: web.Request) -> web.Response:
        asked = await request.json()
        modes = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked["files"]]
        return web.json_response({"files": modes})

    async def _commit(self, request: web.Request) -> web.Response:
        name = self._name(request)
        for line in (await request.text()).splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                self.held[f"{name}/{entry['value']['path']}"] = base64.b64decode(entry["value"]["content"])
        return web.json_response({"commitUrl": f"{self.url}/{name}/commit/{'0' * 40}", "commitOid": "0" * 40})


@contextlib.contextmanager
def hub_at_hand() -> Generator[Hub]:
    """Serve on loopback in a thread."""
    loop, hub = asyncio.new_event_loop(), Hub()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(hub.app(), shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
