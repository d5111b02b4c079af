# Thin: each target is a line or two over CMake and scripts/. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build run run-distributed test check format tidy bench simulate chaos services clean

BINARY := build/release/bin/umbranet
ifneq ($(JOBS),)
parallel := --parallel $(JOBS)
endif

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 18

setup: ## install what building needs (asks nothing, quick the second time)
	@scripts/setup

build: setup ## compile the release build: build/release/bin/umbranet
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release $(parallel) --target umbranet

run: build ## play a first conversation, then serve on 127.0.0.1:8080 until Ctrl-C
	@exec scripts/first_conversation $(BINARY)

run-distributed: build ## the same on PostgreSQL, Redis, RabbitMQ and Neo4j: one API process and two reflectors
	@scripts/setup --services
	@exec scripts/run_distributed $(BINARY)

test: setup ## compile and run all tests; those over real servers where these can be had
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release $(parallel)
	@scripts/setup --services
	@scripts/with_services --best-effort ctest --preset release --progress --parallel $(or $(JOBS),$(shell nproc))

check: ## everything that a change must pass: tests, formatting, tidiness, sanitizers, fuzzing
	@.ci/run

format: ## rewrite the sources in the house's format
	@scripts/format --fix

tidy: ## clang-tidy over the sources (unchanged files are not repeated)
	@scripts/tidy

bench: setup ## compile the benchmarks into build/bench/bin
	@cmake --preset bench --log-level=WARNING
	@cmake --build --preset bench $(parallel)

simulate: setup ## play SIMULATION_SEEDS (20000) histories of each installation with all that can break, step by step
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release $(parallel) --target simulation_tests
	@scripts/simulate build/release/bin/simulation_tests

chaos: build ## break what can be broken for CHAOS_SECONDS (60) and count what is left
	@scripts/chaos $(BINARY)

services: ## start PostgreSQL, Redis, RabbitMQ and Neo4j on loopback
	@scripts/setup --services
	@scripts/services up

clean: ## remove everything that was built, and stop the servers
	@if [ -d build/services ]; then scripts/services down --erase; fi
	@rm -rf build
