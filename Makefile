# Every command of the project; `make` without a target lists them.

PYTHON ?= python3
VENV := .venv/bin
SIZES ?= 100,1000
PORT ?= 4569
.DEFAULT_GOAL := help

# Packages are installed uncompiled; with this set, each command would compile them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Lists these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: node-packages ## Starts the local stack, sends a first message, and runs until Ctrl-C.
	@exec $(VENV)/python -m local run

.PHONY: demo
demo: node-packages ## The same, then exits: with 0 if the message fell back to SMS and was delivered.
	@exec $(VENV)/python -m local demo

.PHONY: console
console: node-packages ## Shows the messages of a deployed stack in the browser, read-only: make console STAGE=…
	@STACK="$(STAGE)" PYTHONPATH=functions exec $(VENV)/python -m console --browse --port $(PORT)

.PHONY: env
env: python-packages ## Prints the settings that point the AWS CLI and boto3 to the local stack: eval "$(make -s env)".
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
	$(VENV)/python -m tools.licenses

.PHONY: test
test: node-packages ## Every test that needs no Docker and no AWS account, 13 minutes; one path: make test T=tests/unit/api
	@$(if $(T),,$(VENV)/python -m tools.synth)
	$(VENV)/python -m pytest --ignore=tests/sfn_local -n auto --maxprocesses 3 $(T)

.PHONY: test-fast
test-fast: python-packages ## The tests that need no stack, browser or template, in about 80 seconds.
	$(VENV)/python -m pytest --ignore=tests/sfn_local --ignore=tests/chaos --ignore=tests/console --ignore=tests/e2e --ignore=tests/infra -m "not slow" --hypothesis-profile=fast -n 3

.PHONY: pictures
pictures: node-packages ## Retakes the screenshots of the README from the running console; needs Chromium.
	PICTURES=docs/pictures $(VENV)/python -m pytest tests/console

.PHONY: chaos
chaos: node-packages ## The long fault-injection tests, and 10,000 requests of every kind; SEED=… repeats a run.
	CHAOS=long $(VENV)/python -m pytest tests/chaos tests/e2e/test_schemathesis.py tests/unit/functions/test_interleavings.py

.PHONY: mutants
mutants: python-packages ## Changes the rules one place at a time: each change must make a test fail, at least 95 % do.
	@$(VENV)/python -m tools.mutants

.PHONY: test-sfn-local
test-sfn-local: python-packages ## The workflow paths in AWS Step Functions Local; needs Docker.
	$(VENV)/python -m pytest tests/sfn_local -rs

.PHONY: bench
bench: node-packages ## Measures throughput, latency and cost per message; SIZES=100,1000,5000 adds larger bursts, ONLY=verifications measures those.
	@PYTHONPATH=functions exec $(VENV)/python -m bench --sizes $(SIZES) $(if $(ONLY),--only $(ONLY))

.PHONY: synth
synth: python-packages ## Writes the CloudFormation template to cdk.out; needs no AWS account.
	@$(VENV)/python -m tools.synth

.PHONY: bootstrap
bootstrap: node-packages ## Prepares an AWS account and Region for deployments; once for each.
	node_modules/.bin/cdk bootstrap $(ARGS)

.PHONY: sbom
sbom: python-packages ## Writes what the layer contains to build/sbom.cdx.json, in CycloneDX: versions, hashes and licenses.
	@$(VENV)/python -m tools.sbom

.PHONY: deploy
deploy: node-packages ## Deploys to the AWS account of your credentials; ARGS=… adds options of `cdk deploy`.
	node_modules/.bin/cdk deploy --strict $(ARGS)

.PHONY: doctor
doctor: python-packages ## Reads the AWS account: which limits and senders it has, what they allow and what to fix.
	@PYTHONPATH=functions $(VENV)/python -m operations.doctor

.PHONY: dlq
dlq: python-packages ## Lists the dead-letter queues and the reasons, in the stack of your AWS environment.
	@PYTHONPATH=functions $(VENV)/python -m operations.dead_letters show

.PHONY: redrive
redrive: python-packages ## Redrives the dead-letter queues, after you have fixed the cause.
	@PYTHONPATH=functions $(VENV)/python -m operations.dead_letters redrive

.PHONY: forget
forget: python-packages ## Erases a message and its copies: make forget ID=…
	@PYTHONPATH=functions $(VENV)/python -m operations.forget "$(ID)"

.PHONY: rotate-key
rotate-key: python-packages ## Replaces the API key.
	@$(VENV)/python -m operations.rotate_key

.PHONY: lock
lock: python-packages ## Resolves the exact versions in requirements/ again.
	$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --all-extras --output-file requirements/dev.txt pyproject.toml
	$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --constraints requirements/dev.txt --output-file requirements/functions.txt pyproject.toml

.PHONY: format
format: python-packages ## Formats the code and applies the automatic fixes of the linter.
	$(VENV)/ruff check --fix
	$(VENV)/ruff format

.PHONY: clean
clean: ## Deletes build output and logs; the installed packages stay.
	rm -rf .local build cdk.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: python-packages
python-packages:
	@$(PYTHON) tools/preflight.py

.PHONY: node-packages
node-packages: python-packages
	@$(PYTHON) tools/preflight.py --with-node-packages
