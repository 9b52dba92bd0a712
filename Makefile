# `make` alone lists the verbs. Needs Python >= 3.11; everything else it installs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SEED ?= 1
SEEDS ?= 200
MINUTES ?= 5

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit sim ring chaos lint types bench clean

help:  ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

$(READY): setup.py pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

setup: $(READY)  ## make .venv with all that is needed

demo: $(READY)  ## start a real ring of three nodes with a few songs; Ctrl-C ends it
	$(BIN)/ringnode demo

test: lint types  ## everything that is checked before a change lands
	$(BIN)/python -m pytest

unit: $(READY)  ## only the quick tests
	$(BIN)/python -m pytest tests/unit tests/test_tidy.py tests/test_docs.py

sim: $(READY)  ## the ring's protocol under faults: make sim SEED=7 SEEDS=1000
	$(BIN)/python tests/sim/run.py --seed $(SEED) --seeds $(SEEDS)

ring: $(READY)  ## real processes, killed and restarted
	$(BIN)/python -m pytest tests/ring

chaos: $(READY)  ## real processes that people use while all goes wrong: make chaos MINUTES=30 SEED=7
	$(BIN)/python tests/ring/chaos.py --minutes $(MINUTES) --seed $(SEED)

lint: $(READY)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## types, strictly
	$(BIN)/mypy

bench: $(READY)  ## figures of this machine; takes minutes
	$(BIN)/python bench/run.py
	$(BIN)/python bench/catalogue.py

clean:  ## remove what make made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
