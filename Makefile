# run demo test check bench - all of them make .venv first, and make it again when what it is built from has changed.
#
# ECLUSE_PURE=1 make ...   builds and runs the hot path interpreted; without it, it is compiled if that can be done.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install run demo test check bench clean

BIN := .venv/bin
FILE ?= examples/shop/ecluse.yaml
BENCH ?=

# The stamp's name is a checksum of everything that the installation depends on. Times of files would miss a module that was
# deleted, a file that came with an older date, or a compiler that was installed since; a stale compiled file must never be tested.
BUILD := $(if $(filter 1,$(ECLUSE_PURE)),interpreted,native)
SUM := $(shell { cksum pyproject.toml setup.py balancer/hotpath/*.py balancer/hotpath/*.pxd autoscaler/*.py; command -v cc gcc; } 2>/dev/null | cksum | cut -d' ' -f1)
STAMP := .venv/.installed-$(BUILD)-$(SUM)

# Tests whose subject is compiled: they are run on both builds.
BOTH_BUILDS := $(wildcard tests/hotpath tests/balancer tests/proxy tests/fuzzing tests/hostile tests/autoscaler)

# How many tests run at once; with 0 one after the other, as CI does. Those that look at every process there is run alone.
JOBS ?= 2
AT_ONCE := $(if $(filter 0,$(JOBS)),,--numprocesses=$(JOBS) --dist=loadfile)
ALONE := tests/benchmarks tests/cluster

help:
	@echo 'make run     a proxy on port 8080 before the example application (FILE=... for another configuration)'
	@echo 'make demo    load that rises and falls, and what Écluse makes of it, in about 90 seconds'
	@echo 'make test    all tests; those of the hot path on both builds'
	@echo 'make check   style, types, import directions, the published schema'
	@echo "make bench   what a request costs, beside nginx and HAProxy, in about 15 minutes (BENCH='small --rounds 3' for a part)"

install: $(STAMP)

$(STAMP):
	@python=$$(for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$name"; break; fi; done); \
	if [ -z "$$python" ]; then \
	    echo "Écluse needs Python 3.11 or later; python3 here is: $$(python3 -V 2>&1 || true). Debian 12, Ubuntu 24.04: apt install python3 python3-venv" >&2; exit 1; fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    rm -rf .venv; \
	    "$$python" -m venv .venv || { rm -rf .venv; echo "$$python cannot make a virtual environment. Debian, Ubuntu: apt install python3-venv" >&2; exit 1; }; fi
	@echo 'installing into .venv ($(BUILD) build)$(if $(filter native,$(BUILD)),; compiling takes a minute or two, ECLUSE_PURE=1 does without)'
	@rm -rf .venv/.installed-* build *.so autoscaler/*.so balancer/hotpath/*.so balancer/hotpath/*.c
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/ecluse version
	@if [[ $(BUILD) = native && "$$($(BIN)/ecluse version)" = *interpreted* ]]; then \
	    echo 'Not everything could be compiled; it runs interpreted. Debian, Ubuntu: apt install gcc python3-dev'; fi
	@touch $@

run: $(STAMP)
	PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/ecluse run $(FILE)

demo: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python -m sidecar.demo

test: $(STAMP)
	$(BIN)/pytest $(AT_ONCE) $(if $(AT_ONCE),$(addprefix --ignore=,$(ALONE)))
	@if [[ -n "$(AT_ONCE)" ]]; then set -x; $(BIN)/pytest $(ALONE); fi
	@if [[ "$$($(BIN)/ecluse version)" = *'hot path compiled'* ]]; then set -x; ECLUSE_PURE=1 $(BIN)/pytest $(AT_ONCE) $(BOTH_BUILDS); fi

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py
	$(BIN)/python -m sidecar.configuration.schema --check
	$(BIN)/python -m sidecar.deciding.schema --check

bench: $(STAMP)
	@exec $(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv build *.egg-info *.so autoscaler/*.so balancer/hotpath/*.so balancer/hotpath/*.c .mypy_cache .ruff_cache .pytest_cache
