# Two commands: `make run` and `make test`. Needs GNU make, sh and Python >= 3.11; everything else goes into .venv/.

PORT ?= 8000
BIN := .venv/bin
# The same tests run on SQLite and, with DATABASE_URL set, on PostgreSQL.
MARKS ?= not benchmark and not long and not browser and not thorough
WORKERS ?= auto
# Never the register under var/: the tests have a data directory of their own.
TEST_ENV := REGISTRY_DEMO=1 REGISTRY_DATA="$(CURDIR)/.venv/test-data"
PYTEST := $(TEST_ENV) $(BIN)/pytest

# A stamp is named after the requirements it stands for: another pin is another name, so pip runs only then.
hash = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
RUN_STAMP := .venv/.run-$(call hash,requirements.txt)
TEST_STAMP := .venv/.test-$(call hash,requirements.txt tests/requirements.txt)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --prefer-binary

.PHONY: run test test-browser test-thorough test-long test-spark bench lint format lock sbom clean

run: $(RUN_STAMP)
	@exec env REGISTRY_DEMO=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python manage.py run_demo --port $(PORT)

test: $(TEST_STAMP)
	$(PYTEST) -n $(WORKERS) --dist loadscope -m "$(MARKS)" $(ARGS)

# Every page and the visit in Chromium: as long again as everything else. .ci/run does both.
test-browser: MARKS = browser and not long
test-browser: test

# Every address for every account, every statement that can fail, every hostile file. .ci/run does these, too.
test-thorough: MARKS = thorough and not long
test-thorough: test

test-long: $(TEST_STAMP)
	$(PYTEST) -n $(WORKERS) --dist loadscope -m "not benchmark" $(ARGS)

# DuckDB and Spark give the same rows. Needs Java 17; PySpark is half a gigabyte, so nothing else brings it.
test-spark: $(TEST_STAMP)
	$(PIP) pyspark==4.3.0
	$(PYTEST) -n0 tests/cohorts/test_engines.py $(ARGS)

# Figures of a benchmark are ratios of one run on one process: nothing else may run beside it.
bench: $(TEST_STAMP)
	$(PYTEST) -p no:xdist -s -m benchmark tests/benchmarks $(ARGS)

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(TEST_ENV) $(BIN)/mypy
	$(BIN)/lint-imports
	find templates -name '*.html' -exec $(BIN)/djade --check --target-version 5.2 {} +

format: $(TEST_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +

# For production: what pip would install here, with the hash of each file (docs/operations/production.md).
lock: $(RUN_STAMP)
	$(PIP) --dry-run --ignore-installed --report .venv/report.json -r requirements.txt
	@$(TEST_ENV) $(BIN)/python manage.py materials --lock .venv/report.json > requirements.lock
	@echo "requirements.lock: $$(grep -c hash= requirements.lock) packages"

# What this installation is made of: CycloneDX JSON.
sbom: $(RUN_STAMP)
	@$(TEST_ENV) $(BIN)/python manage.py materials

# Leaves var/ (the register) alone on purpose.
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A command may be on the path and not run (a version manager's shim), or lack ensurepip (Debian without python3-venv).
$(BIN)/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
		$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
		echo "Making .venv with $$($$python --version)"; exec $$python -m venv --clear .venv; \
	done; \
	echo 'No Python >= 3.11 with venv found. Debian: apt-get install python3 python3-venv' >&2; exit 1

$(RUN_STAMP): | $(BIN)/python
	@echo 'Installing what the register needs (first start only)'
	@$(PIP) -r requirements.txt
	@rm -f .venv/.run-*
	@touch $@

$(TEST_STAMP): | $(BIN)/python
	@echo 'Installing what the tests need (first time only)'
	@$(PIP) -r requirements.txt -r tests/requirements.txt
	@rm -f .venv/.run-* .venv/.test-*
	@touch $@ $(RUN_STAMP)
