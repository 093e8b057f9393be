# Every command of the project; `make` alone lists them.

PYTHON ?= python3
VENV := .venv/bin
SIZES ?= 100,1000
PORT ?= 4569
.DEFAULT_GOAL := help

# Packages are installed uncompiled; with this set, each command would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Lists these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: node-packages ## Brings up the local AWS, sends a first message, stays until Ctrl-C.
	@exec $(VENV)/python -m local run

.PHONY: demo
demo: node-packages ## The same, and ends by itself: 0 if the message fell back to SMS and was delivered.
	@exec $(VENV)/python -m local demo

.PHONY: console
console: node-packages ## Shows the messages of a deployed stack in the browser, read only: make console STAGE=…
	@STACK="$(STAGE)" PYTHONPATH=functions exec $(VENV)/python -m console --browse --port $(PORT)

.PHONY: env
env: python-packages ## Prints what points the AWS CLI and boto3 to the running stack: eval "$(make -s env)".
	@$(VENV)/python -m local env

.PHONY: check
check: python-packages node-packages ## Format, lint, types, import rules, state machine and template.
	$(VENV)/ruff format --check
	$(VENV)/ruff check
	$(VENV)/mypy
	PYTHONPATH=functions $(VENV)/lint-imports --no-logo
	node_modules/.bin/asl-validator --json-path $(wildcard statemachine/*.json)
	for workflow in statemachine/*.json; do $(VENV)/statelint $$workflow || exit 1; done
	$(VENV)/python -m tools.synth
	$(VENV)/cfn-lint cdk.out/*.template.json
	$(VENV)/python -m tools.audit

.PHONY: test
test: node-packages ## Every test that needs no Docker and no AWS account; T=tests/unit/api runs one path.
	@$(if $(T),,$(VENV)/python -m tools.synth)
	$(VENV)/python -m pytest --ignore=tests/sfn_local -n auto --maxprocesses 3 --dist loadgroup $(T)

.PHONY: test-fast
test-fast: python-packages ## The tests that need no stack, browser or template.
	$(VENV)/python -m pytest --ignore=tests/sfn_local --ignore=tests/chaos --ignore=tests/console --ignore=tests/e2e --ignore=tests/infra -m "not slow" --hypothesis-profile=fast -n auto --dist loadgroup

.PHONY: pictures
pictures: node-packages ## Takes the README's pictures anew, from real pages; needs Chromium.
	PICTURES=docs/pictures $(VENV)/python -m pytest tests/console

.PHONY: chaos
chaos: node-packages ## Breaks AWS, providers and processes at length, then looks for what was lost; SEED=… repeats a run.
	CHAOS=long $(VENV)/python -m pytest tests/chaos tests/unit/functions/test_interleavings.py

.PHONY: test-sfn-local
test-sfn-local: python-packages ## The workflow's paths in AWS's Step Functions Local; needs Docker.
	$(VENV)/python -m pytest tests/sfn_local -rs

.PHONY: bench
bench: node-packages ## What the local stack carries, how fast it is, what a message costs; SIZES=100,1000,5000 shows growth.
	@PYTHONPATH=functions exec $(VENV)/python -m bench --sizes $(SIZES)

.PHONY: synth
synth: python-packages ## Writes the CloudFormation template to cdk.out; needs no AWS account.
	@$(VENV)/python -m tools.synth

.PHONY: deploy
deploy: python-packages node-packages ## Deploys to the AWS account of your credentials.
	node_modules/.bin/cdk deploy --strict

.PHONY: dlq
dlq: python-packages ## Shows what the dead-letter queues hold, and why, where your environment points.
	@$(VENV)/python -m operations.dead_letters show

.PHONY: redrive
redrive: python-packages ## Puts back what the dead-letter queues hold, once its cause is mended.
	@$(VENV)/python -m operations.dead_letters redrive

.PHONY: forget
forget: python-packages ## Erases a message and its copies, where your environment points: make forget ID=…
	@PYTHONPATH=functions $(VENV)/python -m operations.forget "$(ID)"

.PHONY: rotate-key
rotate-key: python-packages ## Gives the API a new key, where your environment points: AWS, or after `make env` here.
	@$(VENV)/python -m operations.rotate_key

.PHONY: lock
lock: python-packages ## Resolves the exact versions of requirements/ anew.
	$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --all-extras --output-file requirements/dev.txt pyproject.toml
	$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --constraints requirements/dev.txt --output-file requirements/functions.txt pyproject.toml

.PHONY: format
format: python-packages ## Formats the code and repairs what can be repaired.
	$(VENV)/ruff check --fix
	$(VENV)/ruff format

.PHONY: clean
clean: ## Removes what was built and logged; the installed packages stay.
	rm -rf .local build cdk.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: python-packages
python-packages:
	@$(PYTHON) tools/preflight.py

.PHONY: node-packages
node-packages: python-packages
	@$(PYTHON) tools/preflight.py --with-node-packages
