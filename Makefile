# The commands for developers and packagers. `make help` lists them.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo up test quick simulate chaos fleet storm bench profile fuzz check install install-pages image need-cargo need-postgres

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | column -t -s $$'\t'

demo: need-cargo need-postgres ## daemon, Postgres and a WhatsApp double: everything once, checked (ARGS=--stay leaves it running)
	cargo run --features sandbox -- demo $(ARGS)

up: need-cargo need-postgres ## the daemon against the real WhatsApp
	cargo run --release -- serve

test: need-cargo need-postgres ## builds and runs every test, and says how many
	@.ci/test

simulate: need-cargo ## daemons in virtual time under any faults, every invariant (SEEDS=100000 for more, SEED=7 for one with its trace)
	PAIRD_TEST_SEEDS=$(if $(SEED),$(SEED)-$(SEED),$(or $(SEEDS),10000)) cargo test --package paird-actors --lib simulation::tests::no_schedule -- --nocapture

chaos: need-cargo need-postgres ## random faults, then every invariant (SEEDS=40 for more, SEED=7 for one again, MESSAGES=100000 for so many messages)
	PAIRD_TEST_SEEDS=$(if $(SEED),$(SEED)-$(SEED),$(or $(SEEDS),4)) $(if $(MESSAGES),PAIRD_TEST_MESSAGES=$(MESSAGES)) cargo test --features sandbox --test chaos -- --nocapture

fleet: need-cargo need-postgres ## takeovers and shutdowns under load, measured (ROUNDS=5)
	PAIRD_TEST_ROUNDS=$(or $(ROUNDS),5) cargo test --features sandbox --test blackbox fleet::measured -- --nocapture --test-threads 1

storm: need-cargo need-postgres ## restart and outage with a thousand accounts (ACCOUNTS=1000); takes minutes
	PAIRD_TEST_ACCOUNTS=$(or $(ACCOUNTS),1000) cargo test --features sandbox --test blackbox fleet::storms -- --nocapture

bench: need-cargo need-postgres ## memory, waits, throughput, messages, costs, growth (ARGS="--only layers --accounts 500"; ARGS=--help)
	cargo bench --features sandbox --bench fleet -- $(ARGS)

profile: need-cargo need-postgres ## flamegraphs of pairing and idling, and what holds the heap (ACCOUNTS=500; Linux, perf, heaptrack)
	@tests/bench/profile

fuzz: need-cargo need-postgres ## generated requests for the whole HTTP API (CASES=200 for more; needs python3)
	@.ci/fuzz

quick: need-cargo ## between two edits: format, lints of one build, the machines' tests but the longest, the rules of the sources
	@.ci/quick

check: need-cargo need-postgres ## format, lints of both builds, generated SQL, licences, safety of the production build
	@.ci/check

# Where a packager puts it: DESTDIR=staging PREFIX=/usr
PREFIX ?= /usr/local
UNIT_DIR ?= /etc/systemd/system
PAIRD ?= target/release/paird
SHARE := $(DESTDIR)$(PREFIX)/share
install: need-cargo ## the production binary, its systemd unit, manual and completions (PREFIX=/usr/local, DESTDIR, UNIT_DIR)
	cargo build --release --locked --package paird --bin paird
	install -D -m 0755 target/release/paird "$(DESTDIR)$(PREFIX)/bin/paird"
	$(MAKE) --no-print-directory install-pages PAIRD=target/release/paird
	install -d "$(DESTDIR)$(UNIT_DIR)"
	sed 's|/usr/local/bin/paird|$(PREFIX)/bin/paird|' .deploy/paird.service >"$(DESTDIR)$(UNIT_DIR)/paird.service"

# The completions ask the program by the name that it is called by here.
install-pages: export PATH := $(dir $(abspath $(PAIRD))):$(PATH)
install-pages: ## the manual and the completions of a binary that is built (PAIRD=target/release/paird, PREFIX, DESTDIR)
	install -d "$(SHARE)/man/man1" "$(SHARE)/bash-completion/completions" "$(SHARE)/zsh/site-functions" "$(SHARE)/fish/vendor_completions.d"
	paird man "$(SHARE)/man/man1"
	paird completions bash >"$(SHARE)/bash-completion/completions/paird"
	paird completions zsh >"$(SHARE)/zsh/site-functions/_paird"
	paird completions fish >"$(SHARE)/fish/vendor_completions.d/paird.fish"

image: ## the container image paird (docker, or DOCKER=podman)
	$(or $(DOCKER),docker) build -f .deploy/Dockerfile -t paird .

need-cargo:
	@.ci/need cargo

need-postgres:
	@.ci/need postgres
