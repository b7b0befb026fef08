# make demo   train on real data, then open the report
# make test   everything that must hold
# make site   the documentation, into site/index.html
# make notebooks   run all of examples/
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint quick site notebooks clean

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
test: lint site
	$(BIN)/pellucid warmup
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

quick: $(VENV)/.ready
	$(BIN)/python -m pytest -m 'not slow'

# a broken link or a docstring that cannot be read ends it
site: $(VENV)/.ready
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --fresh-env --quiet docs site
	@echo "site/index.html"

# nothing is written back; a cell that fails ends it
notebooks: $(VENV)/.ready
	$(BIN)/pellucid warmup
	cd examples && PELLUCID_STORE=../pellucid-store ../$(BIN)/jupyter execute --timeout=600 *.ipynb

clean:
	rm -rf $(VENV) demo site pellucid-store
