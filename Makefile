# make run    set up, then open the desk (without a display: play the demo in the terminal)
# make test   set up, then lint, types, import rules and all tests
# make system-python  the suites of sockets and files again, with the python3 of the system
# make check  the quick half: lint, types, import rules
# make coverage  all tests again, with the lines and branches that none of them reached
# make bench  measure beside other ways to send, and write README's tables anew
# make soak   the long versions: full counts of kills, fuzzing, sends
# make venv   .venv with the program in it
# make packages  wheel, sdist, bundle and .deb, in dist/
# make docs   the guides as HTML, in dist/docs
# make messages  collect the texts for translators
# make lock   pin the dependencies anew
# make picture  draw the layers again, from the imports

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TABLES := resources/ready.tables
PYTEST := $(BIN)/python -m pytest
# A worker that died ends the run: one put in its place may wait for ever.
QUICK := -n 3 --dist loadgroup --max-worker-restart 0 -m "not soak"

# The tests start the program hundreds of times: let it be compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run venv test coverage check bench soak packages docs messages lock picture system system-python clean

run: venv
	@sh packaging/run $(BIN)

venv: $(VENV)/.installed $(TABLES)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable '.[all]'
	@touch $@

# The installation made them as well: this is for what has changed since.
$(TABLES): packaging/tables.py smtp_desk/store/resources.py $(wildcard smtp_desk/core/findings/*.py resources/*/*.toml resources/translations/*.po) | $(VENV)/.installed
	$(BIN)/python packaging/tables.py

$(VENV)/.dev: requirements/dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

system:
	@sh tests/servers/install

check: $(VENV)/.dev $(TABLES)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check system
	$(PYTEST) $(QUICK)

# Apart from the tests, whose time it doubles.
coverage: $(VENV)/.dev system
	$(PYTEST) $(QUICK) --cov --cov-report=term:skip-covered

system-python: $(VENV)/.dev system
	sh tests/system-python $(BIN)/python

bench: $(VENV)/.dev system
	$(BIN)/python -m tests.bench

soak: $(VENV)/.dev system
	$(PYTEST) -m soak --timeout 0 --durations 20

packages: $(VENV)/.dev
	PYTHON=$(BIN)/python packaging/wheel dist
	PYTHON=$(BIN)/python packaging/bundle/build dist
	PYTHON=$(BIN)/python packaging/deb/build dist/smtp-desk dist

$(VENV)-docs/.installed: requirements/docs.txt
	$(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

docs: $(VENV)-docs/.installed
	$(VENV)-docs/bin/mkdocs build --strict --quiet --config-file docs/mkdocs.yml --site-dir ../dist/docs

messages: $(VENV)/.dev $(TABLES)
	$(BIN)/python packaging/messages.py

lock: $(VENV)/.dev
	PATH=$(BIN):$$PATH packaging/lock

picture: $(VENV)/.dev
	$(BIN)/python packaging/picture.py

clean:
	rm -rf $(VENV) $(VENV)-docs .venv-system build dist .coverage .mypy_cache .ruff_cache .import_linter_cache
