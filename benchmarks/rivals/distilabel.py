"""distilabel: one text generation task whose batches are as wide as the server, without cache."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
import argparse
import json
import os
import resource
import time

# it would print a line for every call
os.environ["DISTILABEL_LOG_LEVEL"] = "ERROR"

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration


def main() -> None:
    """Ask, and print how many were answered and in how many seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("calls", type=int)
    parser.add_argument("at_once", type=int)
    options = parser.parse_args()
    # the SDK's pool has 1,000 connections, and a batch is as many calls at once
    llm = OpenAILLM(
        model="tester", base_url=options.url, api_key="sk-benchmark", max_retries=4,
        generation_kwargs={"temperature": 0, "max_new_tokens": 64},
    )  # fmt: skip
    rows = [{"instruction": f"{i}+{i}"} for i in range(options.calls)]
    with Pipeline(name="rival") as pipeline:
        given = LoadDataFromDicts(data=rows, batch_size=options.at_once)
        asked = TextGeneration(llm=llm, input_batch_size=options.at_once, add_raw_input=False, add_raw_output=False)
        given.connect(asked)
    since = time.perf_counter()
    made = pipeline.run(use_cache=False)["default"]["train"]
    seconds = time.perf_counter() - since
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answered = sum(bool(text) for text in made["generation"])
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps({"answered": answered, "seconds": seconds, "cpu_seconds": cpu}))


if __name__ == "__main__":
    main()
