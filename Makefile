# Evolvent: every command a newcomer or CI needs. `make` alone lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP_ARGS ?=
SCENARIO ?= scenarios/arithmetic.toml

.DEFAULT_GOAL := help
.PHONY: help setup evolve check fix test evidence clean

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

evolve: setup ## run one autonomous evolution session on this machine
	$(BIN)/evolvent run $(SCENARIO)

check: setup ## format, lint, types, imports and fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto -m "not slow and not gpu"

fix: setup ## repair what formatter and linter can repair
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup ## everything: the checks, and every mechanism once for real
	$(MAKE) check
	$(BIN)/python -m pytest -m "slow and not gpu"

evidence: setup ## full sessions, kills and benchmarks; results go to benchmarks/results
	$(BIN)/python -m evolvent.benchmarks

clean: ## remove caches and run directories
	rm -rf .cache .pytest_cache .ruff_cache build *.egg-info runs
