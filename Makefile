# Each target does all its own set-up on a fresh clone; a second call starts at once.
#   make demo    train, predict, score and report on drawn images, then print where the report is
#   make test    lint, format, types, import contracts, tests
#   make bench   speed against the ordinary way of training and predicting
#   make fuzz    every reader of files from outside under atheris, every command on damaged folders; SECONDS_EACH=60
#   make kill    a run of two stages killed at random points, KILLS=50
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# More options for pip, e.g. an index of your own: make demo PIP_FLAGS="--index-url ..."
PIP_FLAGS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet $(PIP_FLAGS)
PINS := requirements/cpu.txt
# What the program of the target gets beside its settings: make test ARGS="tests/cli -x", make demo ARGS=--open
ARGS ?=
# How long `make fuzz` tries each reader.
SECONDS_EACH ?= 60
KILLS ?= 50

.PHONY: demo test bench fuzz kill format clean
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime
	@$(BIN)/pefomed demo $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest $(ARGS)

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.run

fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m fuzz.run --seconds $(SECONDS_EACH)
	@$(BIN)/python -m fuzz.folders --seconds $(SECONDS_EACH)

kill: $(VENV)/.dev
	@$(BIN)/python -m fuzz.kills --kills $(KILLS)

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.runtime: pyproject.toml $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed; found: $$($(PYTHON) --version 2>&1);" \
	         "what to do: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up $(VENV) (once; torch alone is some hundred MB) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "error: $(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(PIP) --constraint $(PINS) --upgrade pip hatchling
	@$(PIP) --constraint $(PINS) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "adding the tools of the tests ..."
	@$(PIP) --constraint $(PINS) --no-build-isolation --editable '.[dev]'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	@$(PIP) --constraint $(PINS) --no-build-isolation --editable '.[fuzz]'
	@touch $@
