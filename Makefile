# Two commands matter: `make demo` and `make test`. Both set up what they need.
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test nightly check format setup lock clean

demo: setup
	@$(BIN)/acp-tui demo

# Three at a time: most of them wait for nodes and processes, on two cores too.
test: setup test-tools
	$(BIN)/pytest -n 3

# The rules for what is typed, 10,000 cases each.
nightly: setup
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -n auto tests/plan/test_field_types_property.py tests/nodes/test_hostile_output_property.py

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh $(VENV)
	@touch $@

.PHONY: test-tools
test-tools:
	@sh scripts/test-tools.sh

# What it costs, beside its peers (they are installed for the run). Needs root, for the lab of sshd nodes.
.PHONY: bench
bench: setup
	$(BIN)/python -m bench.preflight --peers
	$(BIN)/python -m bench.screen

# Resolve the dependencies anew; commit the result.
lock: setup
	$(BIN)/pip install -q pip-tools
	$(BIN)/pip-compile -q --allow-unsafe --extra dev --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes \
	  --output-file requirements.lock pyproject.toml

# Every text for people, for translators. Made anew each time and not committed: what is translated is in the .po files.
.PHONY: messages
messages: setup
	@PYTHONPATH=scripts $(BIN)/pybabel -q extract -F babel.cfg -k N_ --no-location --sort-output --omit-header \
	  -o assets/locales/acp-tui.pot .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
