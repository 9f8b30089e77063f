# Everything that people and CI run; `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
COMPILED := $(wildcard hatch_build.py topics/engine/*.pyx topics/engine/*.pxd services/processor/*.pyx services/processor/*.pxd)
# Compiled once here: where Python may write nothing itself, each process would do it again.
PACKAGES := topics producers consumers schemas services tests
ARGS ?=
# Without a stack: in parallel, each file in one process, since its tests share what is expensive.
ALONE := tests/unit tests/contract tests/database
PARALLEL := -n logical --maxprocesses 4 --dist loadfile
# On the real stack: each file in one of two processes, which have a stack of their own each; STACKS=1 for one after the other.
STACKS ?= $(if $(GOVBUS_TEST_HOME)$(GOVBUS_TEST_APPLY_HOME),1,2)
BESIDE = $(if $(filter-out 1,$(STACKS)),-n $(STACKS) --dist loadfile --no-loadscope-reorder)
# A test that fails there is tried once more, two tests in each process, and its first failure is shown (docs/adr/0088).
AGAIN := --reruns 1 --max-suite-reruns 2 --rerun-show-tracebacks
BENCH ?= fanout gate end-to-end grants load engine

.DEFAULT_GOAL := help
.PHONY: help install demo bench test unit soak check format clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): pyproject.toml requirements.lock $(COMPILED)
	@echo "Installing govbus into $(VENV) (first time: a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit("govbus needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q -j 0 $(PACKAGES)
	@touch $@

install: $(INSTALLED) ## Install into .venv, exactly what requirements.lock names, each file verified by its hash

demo: $(INSTALLED) ## Start the real stack and watch a change reach exactly its departments (ARGS="--persons 2000 --exit")
	@$(BIN)/govbus demo $(ARGS)

bench: $(INSTALLED) ## Measure the bus against the field, about six minutes (BENCH="fanout gate" for some; docs/bench.md)
	@$(BIN)/govbus prepare
	@for each in $(BENCH); do $(BIN)/govbus bench $$each --quick $(ARGS) || exit 1; done

test: $(INSTALLED) ## Run the tests, those on the real stack included (those of the documents: make check)
ifeq ($(strip $(ARGS)),)
	@$(BIN)/govbus prepare
	@ended=0; \
	$(BIN)/pytest $(PARALLEL) $(ALONE) || ended=$$?; \
	$(BIN)/pytest $(BESIDE) $(AGAIN) --durations=20 --durations-min=5 $(addprefix --ignore=,$(ALONE) tests/docs) || ended=$$?; \
	exit $$ended
else
	@$(BIN)/pytest $(ARGS)
endif

unit: $(INSTALLED) ## Run the tests that need no stack
	@$(BIN)/pytest $(PARALLEL) $(ALONE) $(ARGS)

soak: $(INSTALLED) ## Run the long tests, by hand
	@$(BIN)/govbus prepare
	@$(BIN)/pytest -m soak $(ARGS)

check: $(INSTALLED) ## Check format, lint, types, import contracts, documents, translations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.support.requirements
	@$(BIN)/python -m tests.support.translations
	@$(BIN)/pytest tests/docs

format: $(INSTALLED) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove what was installed into the checkout (not the stack's data: see govbus reset)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
