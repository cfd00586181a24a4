# Two commands on a fresh machine: `make demo`, then `make test`.

PYTHON ?= python3
VENV   ?= .venv
RUN    := $(VENV)/bin/python -m

.PHONY: demo test test-all test-qgis check samples clean

demo: $(VENV)/.base
	$(VENV)/bin/rsclass demo demo --overwrite

test: $(VENV)/.dev
	$(RUN) pytest

test-all: $(VENV)/.dev
	$(RUN) pytest -m "slow or not slow"

# rsclass inside QGIS, which comes from Debian's packages: with the system's Python, which has
# PyQGIS, and an environment in which no other Python can be found. With
# SCREENSHOTS=docs/images/qgis the pictures of docs/qgis.md are made anew.
test-qgis: $(VENV)/.dev
	tests/qgis/install.sh
	env -i HOME="$$HOME" PATH=/usr/bin:/bin LC_ALL=C.UTF-8 QT_QPA_PLATFORM=offscreen \
	    PYTHONDONTWRITEBYTECODE=1 RSCLASS_EXECUTABLE="$(CURDIR)/$(VENV)/bin/rsclass" \
	    SCREENSHOTS="$(SCREENSHOTS)" \
	    /usr/bin/python3 -m pytest -c tests/qgis/pytest.ini tests/qgis

check: $(VENV)/.dev
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports

# The sample scenes, made again from their recipe.
samples: $(VENV)/.dev
	$(VENV)/bin/python data_samples/make.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python pyproject.toml constraints.txt
	$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
