# make demo   train on real data, then open the report
# make test   everything that must hold
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint quick clean

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[all,demo]' --group dev
	touch $@

demo: $(VENV)/.ready
	$(BIN)/pellucid warmup
	$(BIN)/pellucid demo

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# the kernels are compiled once, not by each process; a file's tests stay together
test: lint
	$(BIN)/pellucid warmup
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

quick: $(VENV)/.ready
	$(BIN)/python -m pytest -m 'not slow'

clean:
	rm -rf $(VENV) demo pellucid-store
