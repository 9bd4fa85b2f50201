# SPDX-License-Identifier: Apache-2.0
# The commands that people type; what they do is in CMakePresets.json, scripts/ and bench/.
PYTHON ?= /usr/bin/python3
LISTEN ?= 127.0.0.1:8080
DATA   ?= ./careen-data
PREFIX ?= /usr/local
BENCH_IMAGES ?= 100000

release := build/release
# ninja shows its progress on a terminal, and only what went wrong elsewhere.
ninja = ninja -C $(release) $$([ -t 1 ] || echo --quiet)

.PHONY: build run test bench lint format install clean help

build: $(release)/build.ninja ## build build/release/careen (the default)
	@$(ninja) careen

# Without the unit tests, so that building Careen does not need their library.
$(release)/build.ninja:
	@echo "Configuring $(release)"
	@cmake --preset release -DCAREEN_TESTS=OFF --log-level=WARNING >/dev/null

run: ## build, load the example images, and serve them on LISTEN from DATA
	@scripts/install-dependencies build
	@$(MAKE) --no-print-directory build
	@exec scripts/run-example "$(LISTEN)" "$(DATA)"

test: ## unit tests and whole-program tests (CAREEN_REQUIRE_ALL=1: a skipped one fails)
	@scripts/install-dependencies build test
	@cmake --preset release -DCAREEN_TESTS=ON --log-level=WARNING >/dev/null
	@$(ninja)
	@scripts/run-unit-tests $(release)
	@$(PYTHON) -m pytest -q -rs tests/e2e tests/scripts

# The programs of bench/engine/ are no part of what is shipped, hence a build folder of their own.
bench: ## import, call, scan and fleet benchmarks, with what they compare with (BENCH_IMAGES=100000)
	@scripts/install-dependencies build bench
	@cmake --preset release -DCAREEN_TESTS=OFF -DCAREEN_BENCH=ON -B build/bench --log-level=WARNING \
		>/dev/null
	@ninja -C build/bench $$([ -t 1 ] || echo --quiet)
	@CAREEN_BUILD_DIR=build/bench bench/import-bench
	@CAREEN_BUILD_DIR=build/bench bench/call-bench
	@CAREEN_BUILD_DIR=build/bench bench/scan-bench
	@CAREEN_BUILD_DIR=build/bench BENCH_IMAGES=$(BENCH_IMAGES) bench/fleet-bench --chart build/bench.svg

lint: ## format, include directions, sizes, warnings of gcc and clang
	@scripts/install-dependencies build test lint
	@scripts/lint

format: ## rewrite the C files in the house's format
	@scripts/install-dependencies lint
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

install: build ## install into PREFIX, below DESTDIR
	@cmake --install $(release) --prefix "$(PREFIX)"

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
