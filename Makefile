PYTHON ?= python3
WORKERS ?= 2
EXTRAS ?= test
BIN := .venv/bin
DEPENDS_ON := setup.cfg pyproject.toml $(wildcard setup.py)
BENCHMARKS := $(filter-out %/conftest.py,$(wildcard tests/performance/[a-z]*.py))
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench long images clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: .venv/installed-core ## install the core into .venv and run turnwise demo
	$(BIN)/turnwise demo

test: check ## run all checks and the whole test suite (WORKERS=2 processes), as CI does
	$(PYTEST) -m "not long"

check: .venv/installed-test ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-test ## run every benchmark of tests/performance
	@test -n "$(BENCHMARKS)" || echo "tests/performance holds no benchmark"
	@set -e; for file in $(BENCHMARKS); do echo "== $$file"; $(BIN)/python "$$file"; done

long: .venv/installed-test ## run the tests that take minutes
	$(PYTEST) -m long

images: .venv/installed-test ## draw the pictures of the README (needs chromium)
	$(BIN)/python tests/leaderboard/page/draw_images.py

clean: ## remove .venv, build outputs and caches
	rm -rf .venv build dist turnwise.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Modules are compiled when they are first imported; most of what torch brings never is.
# The stamps are newer than the files they depend on for as long as the installation is up to date.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed-core: $(DEPENDS_ON) | .venv/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	@touch $@

.venv/installed-test: $(DEPENDS_ON) | .venv/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[$(EXTRAS)]'
	@touch .venv/installed-core $@
