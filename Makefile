# Every command of this project. Each sets up what it needs first (deploy/dev/bootstrap.sh).
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# The project's own Node and tools come before the machine's.
export PATH := $(CURDIR)/.tools/node_modules/.bin:$(CURDIR)/node_modules/.bin:$(PATH):/usr/sbin:/sbin

.PHONY: help up test test-vm conformance check format screenshots bench package model soak clean clean-data distclean
.NOTPARALLEL:

help: ## Show this list
	@echo 'Holdfast. make <what>:'
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# exec: make's child is the program itself, so that a signal reaches it and its end is seen.
up: ## Start the control plane and a demo of three real servers; Ctrl-C ends it and keeps its data
	@deploy/dev/bootstrap.sh run && exec node testkit/src/demo/up.ts

test: ## Run every check and every test; as root, also those on real servers
	@deploy/dev/bootstrap.sh test && exec npm run --silent test

test-vm: ## Run all tests on a stock Debian kernel in QEMU: VLANs, bonds, kernel ESP (without KVM half an hour and more). make test runs the shortest
	@deploy/dev/bootstrap.sh test && HOLDFAST_VM=whole exec npm run --silent test:vm

check: ## Compiler, lint, layout, import rules, dead code: all that is known without running the house
	@deploy/dev/bootstrap.sh tools && exec npm run --silent check

format: ## Lay out all sources
	@deploy/dev/bootstrap.sh tools && exec npm run --silent format

screenshots: ## Picture every page of the console in its states into dist/screenshots, and the user guide's
	@deploy/dev/bootstrap.sh test && exec node e2e/console/take-screenshots.ts dist/screenshots "" wide,dark,narrow,korean,guide

conformance: ## Run the whole conformance kit on our own modules (make test runs a part of it on the slowest)
	@deploy/dev/bootstrap.sh test && HOLDFAST_KIT=whole exec npm run --silent test:conformance

bench: ## Measure applies and the agent beside raw nft
	@deploy/dev/bootstrap.sh run && exec npm run --silent bench

package: ## Build the Debian packages into dist/
	@deploy/dev/bootstrap.sh run && exec npm run --silent package

model: ## Check the protocol model exhaustively, and that each of its mutants is refuted
	@deploy/dev/bootstrap.sh test && exec docs/protocol/model/run-all.sh

soak: ## Provoke every fault at every step on real servers once, or again and again: make soak MINUTES=120
	@deploy/dev/bootstrap.sh test && exec npm run --silent soak -- --minutes $(or $(MINUTES),0)

clean: ## Remove what is built (never data)
	@rm -rf dist */dist coverage node_modules/.cache node_modules/.vite node_modules/.vite-temp

clean-data: ## Remove the demo's database, keys and servers in .holdfast/; stop it first. Needs YES=1
	@if [ "$(YES)" != 1 ]; then echo 'This deletes all data of the demo. If you mean it: make clean-data YES=1' >&2; exit 1; fi
	@rm -rf .holdfast

distclean: clean ## Remove also the installed tools and packages; make up installs them again
	@rm -rf node_modules */node_modules .tools
