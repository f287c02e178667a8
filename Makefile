# Everything a person or CI does with this repository; `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
MAX_LATENCY ?= 50ms
MODEL ?=

.PHONY: help tune test check soak wheel clean
.DEFAULT_GOAL := help

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

tune: $(VENV)/.installed ## set up, then tune MODEL (or the default model) for MAX_LATENCY (50ms)
	@$(VENV)/bin/autotune --max-latency $(MAX_LATENCY) $(MODEL)

test: $(VENV)/.dev ## run every test, and the quick ones on the oldest and newest Python here
	@sh scripts/test.sh $(VENV)

check: $(VENV)/.dev ## lint, formatting, types, layering and spelling
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/codespell

soak: $(VENV)/.dev ## run the tests that take many minutes
	$(VENV)/bin/python -m pytest -m soak

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(VENV)/bin/python -m build --wheel --no-isolation

clean: ## remove environments, builds and caches of this folder; profiles stay
	rm -rf .venv .venv-* build dist .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find autotuner tui tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@sh scripts/setup.sh venv $(VENV) $(PYTHON)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh package $(VENV) $(PYTHON)
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@sh scripts/setup.sh dev $(VENV) $(PYTHON)
	@touch $@
