.DEFAULT_GOAL := help
.PHONY: help demo test check format bench fuzz

python := .venv/bin/python

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

.venv/user: pyproject.toml scripts/setup.sh
	scripts/setup.sh && touch $@

.venv/dev: pyproject.toml scripts/setup.sh
	scripts/setup.sh --dev && touch $@ .venv/user

demo: .venv/user ## set up, train a generator of kittens in minutes, and say where its report is
	$(python) -m impasto demo

test: .venv/dev ## set up and run the tests
	$(python) -m pytest

check: .venv/dev ## format, lint, types, floors, dependencies
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy
	.venv/bin/lint-imports
	.venv/bin/deptry src

format: .venv/dev ## rewrite to the house style
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

bench: .venv/dev ## measure speed against plain code (results: benchmarks/results)
	$(python) benchmarks/speed/run.py

fuzz: .venv/dev ## try to break the decoders for a minute (longer: make fuzz seconds=600)
	$(python) tests/fuzz/fuzz_decode.py -max_total_time=$(or $(seconds),60) -artifact_prefix=.venv/
