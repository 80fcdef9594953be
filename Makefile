# `make run` needs nothing but Python 3.11 or newer: the rest is installed into .venv.

.DEFAULT_GOAL := help
.PHONY: help run status password fleet test lint proof soak bench clean install install-dev
.NOTPARALLEL:

VENV := .venv
PYTHON := $(VENV)/bin/python

# Given as `make run PORT=8001` or in the environment; empty ones count as not given.
export PORT SPEED EXCHANGE VAR FLEET REPLAY MARKET_START SEED

PYTHON_FOUND := $(shell for name in "$$PYTHON3" python3.11 python3 python3.14 python3.13 python3.12 python; do \
	[ -n "$$name" ] && "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
PIP := $(PYTHON) -m pip install --quiet --quiet --disable-pip-version-check --no-input

help:
	@echo 'make run      start everything: exchange, bots, console (Ctrl-C stops it)'
	@echo '                PORT=8000 SPEED=60 EXCHANGE=simulated VAR=var FLEET=fleet.toml SEED=1'
	@echo '                REPLAY=folder MARKET_START=2026-01-31T00:00 (first start only)'
	@echo 'make status   what the running platform is doing'
	@echo 'make password a new password for the operator'
	@echo 'make fleet    make the bots as fleet.toml says; DRY_RUN=1 only shows what would change;'
	@echo '                CONFIRM=account where it raises capital'
	@echo 'make test     every test'
	@echo 'make lint     style, types, the law of imports, migrations'
	@echo 'make proof    the order path under faults, crashes, races and planted bugs (35 minutes); TIER=race chooses'
	@echo 'make soak     long runs under faults (two hours); SCENARIO="live postgres faults outage hungry crash alerts" chooses'
	@echo 'make bench    how fast it is on this machine'
	@echo 'make clean    remove .venv and caches; state in $$VAR stays'

run: $(VENV)/.runtime
	@exec $(PYTHON) -m tradingplatform.launcher

status: $(VENV)/.runtime
	@exec $(PYTHON) manage.py status

password: $(VENV)/.runtime
	@exec $(PYTHON) manage.py operator_password

fleet: $(VENV)/.runtime
	@exec $(PYTHON) manage.py load_fleet $(if $(DRY_RUN),--dry-run) $(if $(CONFIRM),--confirm '$(CONFIRM)')

test: $(VENV)/.dev
	@$(PYTHON) -m pytest -n auto --dist worksteal

lint: export SECRET_KEY := only-for-the-checks-below-which-serve-nobody
lint: $(VENV)/.dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports
	@VAR=$$(mktemp -d) $(PYTHON) manage.py makemigrations --check --dry-run
	@$(PYTHON) manage.py check

proof: $(VENV)/.dev
	@$(PYTHON) -m proof $(TIER)
	@$(PYTHON) -m pytest -q -m proof

soak: $(VENV)/.dev
	@exec $(PYTHON) -m soak $(SCENARIO)

bench: $(VENV)/.dev
	@exec $(PYTHON) -m benchmarks

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './var*' -prune -exec rm -rf {} +
	@echo 'Removed .venv and caches. State (VAR, by default var) was kept: remove it by hand to start anew.'

install: $(VENV)/.runtime
install-dev: $(VENV)/.dev

$(VENV)/.python:
	@if [ -z '$(PYTHON_FOUND)' ]; then \
		echo 'make: Python 3.11 or newer is needed and was not found. Install it (Debian: apt install python3 python3-venv), or name it: make run PYTHON3=/path/to/python3' >&2; exit 1; fi
	@if ! '$(PYTHON_FOUND)' -c 'import ensurepip, venv' 2>/dev/null; then \
		echo 'make: $(PYTHON_FOUND) cannot make a virtual environment. Install its venv module (Debian: apt install python3-venv).' >&2; exit 1; fi
	@rm -rf $(VENV)
	@'$(PYTHON_FOUND)' -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.python requirements.txt
	@echo 'Installing into .venv (once, about a minute) ...'
	@$(PIP) -r requirements.txt || { echo 'make: installing failed, see above. Is the network there? Run make again to go on.' >&2; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo 'Installing the tools for tests and checks into .venv ...'
	@$(PIP) -r requirements-dev.txt || { echo 'make: installing failed, see above. Is the network there? Run make again to go on.' >&2; exit 1; }
	@touch $@
