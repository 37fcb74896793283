# What one types here. `make help` lists it.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo up test chaos fuzz check need-cargo need-postgres

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | column -t -s $$'\t'

demo: need-cargo need-postgres ## daemon, Postgres and a WhatsApp double: everything once, checked (ARGS=--stay leaves it running)
	cargo run --features sandbox -- demo $(ARGS)

up: need-cargo need-postgres ## the daemon against the real WhatsApp
	cargo run --release -- serve

test: need-cargo need-postgres ## builds and runs every test, and says how many
	@.ci/test

chaos: need-cargo need-postgres ## random faults, then every invariant (SEEDS=40 for more, SEEDS=7-7 for one again)
	PAIRD_TEST_SEEDS=$(or $(SEEDS),5) cargo test --features sandbox --test chaos -- --nocapture

fuzz: need-cargo need-postgres ## generated requests for the whole HTTP API (CASES=200 for more; needs python3)
	@.ci/fuzz

check: need-cargo need-postgres ## format, lints of both builds, generated SQL, licences, safety of the production build
	@.ci/check

need-cargo:
	@.ci/need cargo

need-postgres:
	@.ci/need postgres
