# Start with `make demo` and `make test`. Both set up what they need.
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test nightly check format setup lock clean

demo: setup
	@$(BIN)/acp-tui demo

# Run three tests at the same time, even on two cores, because most tests wait for nodes and processes.
test: setup test-tools
	$(BIN)/pytest -n 3

# The property tests of typed values and of hostile node output, and the fuzz tests of all parsers, with 10,000 cases each.
nightly: setup
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -n auto tests/plan/test_field_types_property.py tests/nodes/test_hostile_output_property.py tests/fuzz

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(VENV)/.ready $(patsubst %.po,%.mo,$(wildcard assets/locales/*/LC_MESSAGES/*.po))

$(VENV)/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh $(VENV)
	@touch $@

.PHONY: test-tools
test-tools:
	@sh scripts/test-tools.sh

# Compare speed and memory with similar tools (Ansible, pyinfra), which it installs into a temporary folder. Needs root
# for the lab of real sshd nodes.
.PHONY: bench
bench: setup
	$(BIN)/python -m bench.preflight --peers
	$(BIN)/python -m bench.screen

# Choose the versions of all dependencies again, and write them to requirements.lock. Commit this file.
lock: setup
	$(BIN)/pip install -q pip-tools
	$(BIN)/pip-compile -q --allow-unsafe --extra dev --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes \
	  --output-file requirements.lock pyproject.toml

# Targets for translators. They create the template from the sources each time. Only the .po files are in git.
#   make messages-update LANG=ru   create or update assets/locales/ru/LC_MESSAGES/acp-tui.po, to be translated
#   make messages                  create only the template, assets/locales/acp-tui.pot
#   make messages-compile          compile the .po files to the .mo files that acp-tui reads; `make setup` does this too
.PHONY: messages messages-update messages-compile
messages: setup
	@$(BIN)/python scripts/messages.py extract

messages-update: setup
	@test "$(origin LANG)" = "command line" || { echo "usage: make messages-update LANG=ru" >&2; exit 2; }
	@$(BIN)/python scripts/messages.py update "$(LANG)"

messages-compile: setup

%.mo: %.po | $(VENV)/.ready
	@$(BIN)/pybabel -q compile --input-file $< --output-file $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
