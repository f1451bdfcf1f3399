# Start with `make demo` and `make test`. Both set up what they need.
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test nightly check format setup lock clean

# Compiled translations. Without translations, `make demo` needs no development tool.
MO := $(patsubst %.po,%.mo,$(wildcard assets/locales/*/LC_MESSAGES/*.po))

demo: $(VENV)/.ready $(MO)
	@$(BIN)/acp-tui demo

# Run three tests at the same time, even on two cores, because most tests wait for nodes and processes.
test: setup test-tools
	$(BIN)/pytest -n 3 --dist worksteal

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

setup: $(VENV)/.dev $(MO)

# .ready: acp-tui and its dependencies. .dev: also the tools for tests and checks.
$(VENV)/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh $(VENV)
	@touch $@

$(VENV)/.dev: $(VENV)/.ready requirements-dev.lock
	@echo "setup: installing the development tools into $(VENV)" >&2
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
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

# Write the versions of all dependencies to requirements.lock (to run acp-tui) and requirements-dev.lock (also for tests
# and checks). Versions in these files are kept if pyproject.toml allows them. To choose them again: make lock UPGRADE=1
# The build dependencies are for the editable install. Commit both files.
LOCK := $(BIN)/pip-compile -q $(if $(UPGRADE),--upgrade) --allow-unsafe --build-deps-for editable --strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes
lock: setup
	$(BIN)/pip install -q pip-tools
	$(LOCK) --output-file requirements.lock pyproject.toml
	$(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

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

%.mo: %.po | $(VENV)/.dev
	@$(BIN)/pybabel -q compile --input-file $< --output-file $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
