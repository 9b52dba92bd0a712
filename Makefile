# `make` alone lists the verbs. Needs Python >= 3.11, and for the player Node.js >= 20.19 with npm; everything else it
# installs into .venv and spa/node_modules.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SEED ?= 1
SEEDS ?= 200
FUZZ_S ?= 300
MINUTES ?= 5

BUILT := api/built/index.html
SPEC := spa/src/shared/schema.d.ts
# Without npm there is no player: all else works, and a node says so at `/`.
NPM := $(shell command -v npm)
IF_NPM := $(if $(NPM),$(BUILT),)

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit sim ring docker-test fuzz chaos player wheel player-dev player-test pictures \
	lighthouse lint types bench numbers clean

help:  ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

$(READY): setup.py pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

setup: $(READY)  ## make .venv with all that is needed

demo: $(READY) $(IF_NPM)  ## start a real ring of three nodes with a few songs; Ctrl-C ends it
	$(BIN)/ringnode demo

test: lint types $(if $(NPM),player-test,)  ## everything that is checked before a change lands
	$(BIN)/python -m pytest -n 2 --dist loadfile

unit: $(READY)  ## only the quick tests
	$(BIN)/python -m pytest tests/unit tests/test_tidy.py tests/test_docs.py

sim: $(READY)  ## rings and whole libraries under faults: make sim SEED=7 SEEDS=1000
	$(BIN)/python tests/sim/run.py --seed $(SEED) --seeds $(SEEDS)

ring: $(READY)  ## real processes, killed and restarted
	$(BIN)/python -m pytest tests/ring

docker-test: $(READY)  ## images, containers and their networks; needs a Docker engine with compose
	$(BIN)/python -m pytest tests/docker

chaos: $(READY)  ## real processes that people use while all goes wrong: make chaos MINUTES=30 SEED=7
	$(BIN)/python tests/ring/chaos.py --minutes $(MINUTES) --seed $(SEED)

spa/node_modules/ready: spa/package-lock.json
	cd spa && npm ci --no-progress --loglevel=error
	touch $@

# The player's types are made from the API's own description: what it uses and the API does not have is a type error.
$(SPEC): $(READY) spa/node_modules/ready spa/scripts/spec.py $(wildcard api/*.py api/resources/*.py ringnode/services/*.py ringnode/catalogue/model.py)
	$(BIN)/python spa/scripts/spec.py > spa/openapi.json
	cd spa && npm run --silent types

$(BUILT): $(SPEC) $(shell find spa/src spa/public spa/scripts -type f 2>/dev/null) spa/index.html spa/vite.config.ts
	cd spa && npm run --silent build

player: $(BUILT)  ## build the web player, which every node then serves

wheel: $(READY) $(BUILT)  ## a wheel in dist/, the player in it
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

player-dev: $(SPEC)  ## the player with live reload, for a node that runs: RINGNODE_URL=http://127.0.0.1:PORT
	cd spa && npm run dev

player-test: $(SPEC)  ## the player's style, types and tests, and its build
	cd spa && npm run --silent lint && npm run --silent check && npm run --silent test
	cd spa && npm run --silent build

pictures: $(READY) $(BUILT)  ## pictures of every page, in three widths and both themes, into pictures/; README=1 renews docs/pictures
	$(BIN)/python tests/e2e/pictures.py $(if $(README),--readme)

lighthouse: $(READY) $(BUILT)  ## what Lighthouse says of the player; fetches it by npx
	$(BIN)/python bench/lighthouse.py

lint: $(READY)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## types, strictly
	$(BIN)/mypy

fuzz: $(READY)  ## the API against its own description, for longer: make fuzz FUZZ_S=600 SEED=7
	FUZZ_S=$(FUZZ_S) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -s tests/ring/test_schemathesis.py

bench: $(READY)  ## figures of this machine; takes minutes
	$(BIN)/python bench/run.py
	$(BIN)/python bench/catalogue.py
	$(BIN)/python bench/small_songs.py
	$(BIN)/python bench/login.py

numbers: $(READY)  ## the ring's figures beside the papers'; NAMES="paths push" for some
	$(BIN)/python bench/ring.py --seed $(SEED) $(NAMES)

clean:  ## remove what make made
	rm -rf $(VENV) api/built spa/node_modules spa/openapi.json $(SPEC) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
