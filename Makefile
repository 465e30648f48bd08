# Each target does all its own set-up on a fresh clone; a second call starts at once.
#   make demo    train, predict, score and report on drawn images, then print where the report is
#   make test    lint, format, types, import contracts, tests
#   make bench   speed against the ordinary way of training and predicting
#   make fuzz    every reader of files from outside under atheris, every command on damaged folders; SECONDS_EACH=60
#   make pins    rewrite requirements/ with every hash; ARGS=--upgrade takes the newest releases
#   make kill    a run of two stages killed at random points, KILLS=50
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# More options for pip, e.g. an index of your own: make demo PIP_FLAGS="--index-url ..."
PIP_FLAGS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet $(PIP_FLAGS)
PINS := requirements/pins.txt
# Whatever comes from outside is compared with the hashes of the pins; what has none is refused.
HASHED := $(PIP) --require-hashes --constraint $(PINS) --requirement
TORCH := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' $(PINS))
ASKED := $(BIN)/python requirements/asked.py
# What the program of the target gets beside its settings: make test ARGS="tests/cli -x", make demo ARGS=--open
ARGS ?=
# How long `make fuzz` tries each reader.
SECONDS_EACH ?= 60
KILLS ?= 50

.PHONY: demo test bench fuzz kill pins format clean
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

pins: $(VENV)/.pins
	@PATH="$(BIN):$$PATH" python requirements/rewrite.py $(ARGS)

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.runtime: pyproject.toml $(PINS) requirements/build.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed; found: $$($(PYTHON) --version 2>&1);" \
	         "what to do: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up $(VENV) (once; torch alone is some hundred MB) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "error: $(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(PIP) --require-hashes --requirement requirements/build.txt
	@$(BIN)/python -m pip list --format=freeze | grep -q '^$(TORCH)' || $(MAKE) --no-print-directory torch
	@$(ASKED) > $(VENV)/runtime.txt
	@$(HASHED) $(VENV)/runtime.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Apart from the rest, since pip would prefer a build whose hash the index tells to a CPU-only one in a folder: first
# the build that pip chooses by version alone, then that file, compared with the hashes.
.PHONY: torch
torch:
	@rm -rf $(VENV)/torch
	@$(BIN)/python -m pip --disable-pip-version-check download --quiet $(PIP_FLAGS) --no-deps --dest $(VENV)/torch '$(TORCH)'
	@$(PIP) --require-hashes --constraint $(PINS) --no-deps --no-index --find-links $(VENV)/torch torch
	@rm -r $(VENV)/torch

$(VENV)/.dev: $(VENV)/.runtime
	@echo "adding the tools of the tests ..."
	@$(ASKED) dev > $(VENV)/dev.txt
	@$(HASHED) $(VENV)/dev.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	@$(ASKED) fuzz > $(VENV)/fuzz.txt
	@$(HASHED) $(VENV)/fuzz.txt
	@touch $@

$(VENV)/.pins: $(VENV)/.runtime
	@$(ASKED) pins > $(VENV)/pins.txt
	@$(HASHED) $(VENV)/pins.txt
	@touch $@
