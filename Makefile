# make run    install what is needed and open the page      ARGS="--model my.keras" passes flags on
# make test   install what the tests need and run them      ARGS="tests/models -k gif" picks some
# make check  style and types, as a commit is checked
# make audit  look for published vulnerabilities in the installed packages; without a network it says so
# make bench  every benchmark, one after the other          ARGS=--write keeps the results in benchmarks/results
#
# Everything is installed into .venv, once, and again only when a requirements file changes; the tools that check the page's
# scripts into node_modules, when package.json does.
# PYTHON picks the interpreter (3.11, 3.12 or 3.13): make run PYTHON=python3.12

VENV := .venv
BIN := $(VENV)/bin
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do "$$p" -c '$(FITS)' 2>/dev/null && echo "$$p" && break; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
BENCHMARKS := classifier zoo_parts.engine child shared.picture_worker shared.dicom_files truth reliability measures advice dermoscopy speed training page zoo attack soak kills
ARGS ?=

.PHONY: run test check format audit bench clean
.DEFAULT_GOAL := run

run: $(VENV)/.runs
	$(BIN)/python -m app $(ARGS)

test: $(VENV)/.tests
	@sh tests/chromium.sh
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.tests node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.type_report
	npm run --silent check

format: $(VENV)/.tests node_modules/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm run --silent format

audit: $(VENV)/.tests
	@$(BIN)/python -m tools.audit

bench: $(VENV)/.tests
	@failed=; for name in $(BENCHMARKS); do echo "== python -m benchmarks.$$name"; \
	$(BIN)/python -m "benchmarks.$$name" $(ARGS) || failed="$$failed $$name"; done; \
	test -z "$$failed" || { echo "Not done:$$failed"; exit 1; }

clean:
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .mypy_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found on PATH; install one, or name it: make run PYTHON=/path/to/python3.12"; exit 2; }
	@"$(PYTHON)" -c '$(FITS)' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13, which TensorFlow needs; name another: make run PYTHON=python3.12"; exit 2; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }

$(VENV)/.runs: requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt into $(VENV) (about 3 GB, once) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.tests: requirements-dev.txt requirements-openvino.txt requirements.txt | $(BIN)/python
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runs

node_modules/.installed: package.json
	@sh tests/node.sh
	@echo "Installing the tools of package.json into node_modules ..."
	@npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
