"""Inspect: one task with a sample a prompt; logging as it goes, scoring and the display are off."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
import argparse
import json
import tempfile
import time

import openai
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.solver import generate


def main() -> None:
    """Ask, and print how many were answered and in how many seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("calls", type=int)
    parser.add_argument("at_once", type=int)
    options = parser.parse_args()
    samples = MemoryDataset([Sample(input=f"{i}+{i}") for i in range(options.calls)])
    config = GenerateConfig(max_connections=options.at_once, max_tokens=64, temperature=0, max_retries=4)
    # its own default, httpx, spends more time on its pool than on the calls
    model = get_model(
        "openai-api/mock/tester", base_url=options.url, api_key="sk-benchmark", config=config,
        http_client=openai.DefaultAioHttpClient(),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        since, cpu = time.perf_counter(), time.process_time()
        (log,) = eval(
            Task(dataset=samples, solver=generate()), model=model, display="none", log_dir=folder, score=False,
            max_samples=options.at_once, log_realtime=False, log_samples=True, log_model_api=False, log_images=False,
            log_level="error", log_level_transcript="error", fail_on_error=False, log_buffer=options.calls,
            acp_server=False, ctl_server=False,
        )  # fmt: skip
        seconds, cpu = time.perf_counter() - since, time.process_time() - cpu
        answered = sum(bool(sample.output.completion) for sample in log.samples or ())
    print(json.dumps({"answered": answered, "seconds": seconds, "cpu_seconds": cpu}))


if __name__ == "__main__":
    main()
