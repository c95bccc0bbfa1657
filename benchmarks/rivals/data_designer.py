"""Data Designer: one text column over a seed of prompts, without telemetry, health checks or limits of its own."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ["NEMO_TELEMETRY_ENABLED"] = "false"

import data_designer.config as dd
import pandas as pd
from data_designer.interface import DataDesigner


def main() -> None:
    """Ask, and print how many were answered and in how many seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("calls", type=int)
    parser.add_argument("at_once", type=int)
    options = parser.parse_args()
    inference = dd.ChatCompletionInferenceParams(temperature=0, max_tokens=64, max_parallel_requests=options.at_once)
    model = dd.ModelConfig(
        alias="mock", model="tester", provider="mock", inference_parameters=inference, skip_health_check=True
    )
    config = dd.DataDesignerConfigBuilder(model_configs=[model])
    prompts = pd.DataFrame({"question": [f"{i}+{i}" for i in range(options.calls)]})
    config.with_seed_dataset(dd.DataFrameSeedSource(df=prompts))
    config.add_column(dd.LLMTextColumnConfig(name="answer", prompt="{{ question }}", model_alias="mock"))
    with tempfile.TemporaryDirectory() as folder:
        provider = dd.ModelProvider(name="mock", endpoint=options.url, api_key="sk-benchmark")
        designer = DataDesigner(Path(folder), model_providers=[provider])
        designer.set_run_config(
            dd.RunConfig(
                buffer_size=options.calls, max_in_flight_tasks=4 * options.at_once, disable_early_shutdown=True,
                jinja_rendering_engine=dd.JinjaRenderingEngine.NATIVE, otel_metrics_port=None,
            )
        )  # fmt: skip
        since, cpu = time.perf_counter(), time.process_time()
        made = designer.create(config, num_records=options.calls).load_dataset()
        seconds, cpu = time.perf_counter() - since, time.process_time() - cpu
    answered = int(made["answer"].astype(bool).sum())
    print(json.dumps({"answered": answered, "seconds": seconds, "cpu_seconds": cpu}))


if __name__ == "__main__":
    main()
