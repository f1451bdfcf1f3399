# Two commands matter: `make demo` and `make test`. Both set up what they need.
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check format setup lock clean

demo: setup
	@$(BIN)/acp-tui demo

test: setup test-tools
	$(BIN)/pytest

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

# Resolve the dependencies anew; commit the result.
lock: setup
	$(BIN)/pip install -q pip-tools
	$(BIN)/pip-compile -q --extra dev --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes \
	  --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
