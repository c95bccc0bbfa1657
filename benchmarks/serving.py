"""Answers a second through the session's vLLM server over those of vLLM's own offline engine, in turns.

Both hold the same weights, get the same token ids, and have the same settings and one CPU thread. The offline engine
(`vllm.LLM`) runs in a process of its own and is told when to answer, so neither competes with the other. Two students:
the scenario's, whose answers are a few tokens long, and a random one big enough for its weights to matter.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..agents.parts import Parts
from ..memory.inference import Engine, Request
from ..scenarios import loader
from ..scenarios.splits import Splits
from ..training import student
from ..training.engines.vllm import Vllm
from ..training.serving.host import hosting
from ..training.serving.launch import Launch, installed_build
from ..training.wording import Wording
from .machine import ROOT, Check, keep, median_and_range

Json = dict[str, Any]

STUDENTS: dict[str, Json] = {
    "the scenario's": {"overrides": {"heads": 3}, "prompts": 4000, "longest": 12},
    "a bigger one": {"overrides": {"hidden": 512, "heads": 8, "layers": 6}, "prompts": 512, "longest": 24},
}
OFFLINE = """
import json, sys, time
from vllm import LLM, SamplingParams
given = json.loads(sys.stdin.readline())
model = LLM(given["model"], dtype="float32", enforce_eager=True, seed=0, generation_config="vllm",
            disable_log_stats=True, load_format="safetensors")
prompts = [{"prompt_token_ids": tokens} for tokens in given["prompts"]]
params = SamplingParams(temperature=0.0, max_tokens=given["longest"], stop_token_ids=given["ends"])
for line in sys.stdin:
    since = time.perf_counter()
    made = model.generate(prompts[: int(line)], params, use_tqdm=False)
    seconds = time.perf_counter() - since
    print("took", json.dumps([seconds, [list(m.outputs[0].token_ids) for m in made]]), flush=True)
"""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.serving", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0, help="share of the prompts")
    options = parser.parse_args(argv)
    since = time.perf_counter()
    found: Json = {}
    for name, case in STUDENTS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = compare(Path(folder), case, repeats=options.repeats, share=options.share)
            print(name, json.dumps(found[name]), flush=True)
    checks = [check for name, figures in found.items() for check in _judge(name, figures)]
    path = keep("serving", {"students": found}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def compare(folder: Path, case: Json, *, repeats: int, share: float) -> Json:
    """Answer the same prompts both ways, in turn."""
    checkpoint, longest = folder / "model", case["longest"]
    prompts = _prompts(checkpoint, case["overrides"], int(case["prompts"] * share))
    wording = Wording.read(checkpoint)
    tokens = [wording.prompt(Request(p, longest).conversation()) for p in prompts]
    given = {"model": str(checkpoint), "prompts": tokens, "longest": longest, "ends": list(wording.ends)}
    requests = [Request(p, longest) for p in prompts]
    with hosting(folder / "serving"), Offline(folder, given) as offline:
        engine = Vllm().open(checkpoint)
        warm = min(64, len(prompts))
        asyncio.run(engine.answer(requests[:warm]))
        offline.answer(warm)
        own: list[float] = []
        served: list[float] = []
        same = 0
        for _ in range(repeats):
            seconds, answers = offline.answer(len(prompts))
            own.append(len(prompts) / seconds)
            seconds, texts = _served(engine, requests)
            served.append(len(prompts) / seconds)
            same = sum(wording.said(a).text == t for a, t in zip(answers, texts, strict=True))
        engine.close()
    return {
        "prompts": len(prompts),
        "longest": longest,
        "same": same,
        "offline_per_second": median_and_range(own),
        "served_per_second": median_and_range(served),
        "ratio": median_and_range([s / o for s, o in zip(served, own, strict=True)]),
    }


class Offline:
    """vLLM's offline engine in a process of its own."""

    def __init__(self, folder: Path, given: Json) -> None:
        launch = Launch(installed_build(), "float32", 1, 1, 0.4, 0, (), 300.0)
        environment = {**launch.environment(), "TMPDIR": str(folder)}
        self._log = (folder / "offline.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-c", OFFLINE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment, cwd=folder,
        )  # fmt: skip
        self._say(json.dumps(given))

    def __enter__(self) -> "Offline":
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._log.close()

    def answer(self, count: int) -> tuple[float, list[list[int]]]:
        """Answer the first so many prompts; seconds, and token ids by prompt.

        Raises:
            RuntimeError: the process ended; with the end of its log.
        """
        assert self._process.stdout is not None
        self._say(str(count))
        for line in self._process.stdout:
            if line.startswith("took "):
                return tuple(json.loads(line.removeprefix("took ")))
        raise RuntimeError(Path(self._log.name).read_text()[-2000:])

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


def _served(engine: Engine, requests: Sequence[Request]) -> tuple[float, list[str]]:
    since = time.perf_counter()
    answers = asyncio.run(engine.answer(requests))
    return time.perf_counter() - since, [a.text for a in answers]


def _prompts(checkpoint: Path, overrides: Json, count: int) -> list[str]:
    """Build an untrained student, and questions of its scenario."""
    path = ROOT / "scenarios" / "arithmetic.toml"
    scenario = loader.load(path)
    student.build(scenario.student.model_copy(update=overrides), checkpoint, seed=0)
    parts = Parts.resolve(scenario, str(path))
    splits, skills = Splits(scenario, parts.source, 0), sorted(scenario.skills)
    each = -(-count // len(skills))
    return [t.prompt for s in skills for t in splits.draw(s, "report", each, stream="benchmark")][:count]


def _judge(name: str, figures: Json) -> list[Check]:
    ratio, prompts = figures["ratio"], figures["prompts"]
    spread = f"{ratio['median']:.2f}x ({ratio['low']:.2f} to {ratio['high']:.2f})"
    agreeing = figures["same"] / prompts
    return [
        Check(f"answers a second over vLLM offline, {name}", spread, ">= 0.95x", ratio["median"] >= 0.95),
        Check(f"answers equal to vLLM offline, {name}", f"{agreeing:.1%}", ">= 99%", agreeing >= 0.99),
    ]


if __name__ == "__main__":
    main()
