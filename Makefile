# On a fresh machine these need Python 3.11 or newer and Node 20 or newer with npm. Everything else is installed into
# .venv and js/node_modules; only Chromium, which drives the tests in a browser, comes from the system.

PYTHON ?= python3
BIN := .venv/bin
NPM := npm --prefix js

.DEFAULT_GOAL := help
.PHONY: help demo test bench pictures build js fix clean .venv chromium check-python check-js pytest
.NOTPARALLEL:

help:
	@echo 'make demo    set up, and watch an example run'
	@echo 'make test    set up, and check everything, as CI does'
	@echo 'make bench   set up, and measure'
	@echo 'make pictures  take pictures of every panel, into pictures/index.html'
	@echo 'make fix     format, and mend what mends itself'
	@echo 'make js      build the browser panels into runwidgets/static'
	@echo 'make build   make the wheel and the sdist in dist/'
	@echo 'make clean   remove all that these made'

demo: .venv/demo
	$(BIN)/python -m runwidgets.demo

test: .venv js chromium check-python check-js pytest

bench: .venv js chromium
	$(BIN)/python -m tests.benchmarks

pictures: .venv js chromium
	$(BIN)/python -m tests.browser.pictures --out pictures

build: .venv
	rm -rf dist
	$(BIN)/python -m build

js: js/node_modules/.package-lock.json
	@echo '== build the panels'
	@$(NPM) run --silent build

fix: .venv js/node_modules/.package-lock.json
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .
	$(NPM) run --silent format

clean:
	rm -rf .venv js/node_modules runwidgets/static build dist htmlcov .coverage .coverage.*
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find runwidgets tests js notebooks -name __pycache__ -prune -exec rm -rf {} +

.venv: .venv/installed

# What the demo needs is less than what the tests do.
.venv/demo: pyproject.toml js/hatch_build.py
	@echo '== set up .venv: JupyterLab, scikit-learn and matplotlib take a minute or two, once'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

.venv/installed: .venv/demo
	@echo '== set up what the checks need'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

js/node_modules/.package-lock.json: js/package.json js/package-lock.json
	@echo '== set up js/node_modules'
	@$(NPM) ci --no-audit --no-fund
	@touch $@

# A test that needs a browser fails without one: it must not seem to pass.
chromium:
	@if [ -n "$$CHROMIUM" ]; then \
	    command -v "$$CHROMIUM" >/dev/null || { echo "CHROMIUM=$$CHROMIUM is no program"; exit 1; }; \
	elif command -v chromium >/dev/null; then :; \
	elif command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then \
	    echo '== set up Chromium, with apt-get'; \
	    if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	    $$sudo apt-get update -qq && \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else \
	    echo 'Chromium is needed by the tests: install it so that `chromium` is on the PATH,'; \
	    echo 'or say where it is: make test CHROMIUM=/path/to/chrome'; \
	    exit 1; \
	fi

check-python:
	@echo '== ruff check'
	@$(BIN)/ruff check --quiet .
	@echo '== ruff format'
	@$(BIN)/ruff format --quiet --check .
	@echo '== mypy'
	@$(BIN)/mypy

check-js:
	@echo '== biome and tsc'
	@$(NPM) run --silent check
	@echo '== vitest'
	@$(NPM) run --silent test

pytest:
	@echo '== pytest: tests, and notebooks with nbval'
	@$(BIN)/pytest -m 'not benchmark' --cov=runwidgets --cov-config=setup.cfg \
	    --nbval-lax --nbval-sanitize-with=setup.cfg tests notebooks
