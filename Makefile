# `make reproduce` and `make test` work from a clean clone: each makes the environment it needs in .venv first.
PYTHON ?= python3
# Three workers on two cores, since some tests wait. Whole files stay on one worker, so that the pipeline tests share their
# one run, and in their order, so that slow files do not all come last.
PYTEST_FLAGS ?= -n 3 --dist loadfile --no-loadscope-reorder
# What `make archive` packs, and the file that it writes and `make restore` reads.
SUITES ?= mini
FILE ?= dgr-runs.tar.gz
# RETUNE=1: `make reproduce` chooses learning rates and strengths anew, instead of taking the committed choices.
RETUNE ?=
# How long `make gpu` may take, and where its records go.
SECONDS ?= 480
OUT ?= gpu-session
IN_VENV := PATH="$(CURDIR)/.venv/bin:$$PATH" OMP_NUM_THREADS=1
# VERBOSE=1: all that Snakemake says, in place of one line a step.
VERBOSE ?=
# What `make chaos` draws, and how often it kills.
SEED ?= 1
KILLS ?= 60
# What `make places` tries, such as PLACES="'umask 077' 'one core'"; all without it.
PLACES ?=
# How many times as much hostile input `make hostile` draws as `make test` does.
TIMES ?= 10
MAKE_SUITE := python -m dgr reproduce $(if $(VERBOSE),--verbose)

define FIND_PYTHON
@command -v "$(PYTHON)" >/dev/null || { \
		echo "No '$(PYTHON)' found: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "'$(PYTHON)' is older than Python 3.11: name a newer one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
endef

.PHONY: help install smoke reproduce cost studies archive restore verify test gpu fingerprint chaos places hostile licences audit lint docs lock lockdocs clean clean-results
.DELETE_ON_ERROR:

help:  ## show this list
	@sed -nE 's/^([a-z-]+):.*## /  make \1\t/p' Makefile | expand -t 24

install: .venv/installed  ## only make the environment

smoke: .venv/installed  ## run the whole pipeline on a suite of seconds, in a temporary folder
	@$(IN_VENV) python -m dgr smoke $(if $(VERBOSE),--verbose)

reproduce: .venv/installed  ## run the mini suite end to end: data, training, tables, figures, page; with RETUNE=1 tuning too
	@test -z "$(RETUNE)" || rm -f results/mini/tuning/*.json
	@$(IN_VENV) $(MAKE_SUITE) mini

cost: .venv/installed  ## time the steps of the suite cost; nothing else should run beside it
	@$(IN_VENV) $(MAKE_SUITE) cost

studies: .venv/installed  ## run the studies of the other papers: records, tables, figures, claims, page
	@$(IN_VENV) $(MAKE_SUITE) studies

archive: .venv/installed  ## pack the records of all runs of SUITES (mini) with checksums into FILE (dgr-runs.tar.gz)
	@$(IN_VENV) dgr archive $(SUITES) --output "$(FILE)"

# Snakemake makes tables and figures anew, and lets DVC check everything; then it is told that all of it is good.
restore: .venv/installed  ## put the runs in FILE back, so that nothing is trained: SUITES are checked and made up to date
	@$(IN_VENV) dgr restore "$(FILE)"
	@export $(IN_VENV); for suite in $(SUITES); do \
		snakemake --cores all --config suite=$$suite && \
		snakemake --cores all --config suite=$$suite --touch --forceall --quiet all || exit 1; done

verify: .venv/installed  ## check the committed results of all suites, and train a sample of the mini suite's runs again
	@$(IN_VENV) python -m dgr verify mini --others

test: lint  ## check style and types, then run every test
	@$(IN_VENV) pytest $(PYTEST_FLAGS)

gpu: .venv/installed  ## on a GPU: its tests, costs of the paper's models, and as much of faces_gpu as SECONDS (480) allow
	@$(IN_VENV) python benchmarks/gpu_session.py --seconds "$(SECONDS)" --out "$(OUT)" $(if $(DATA),--data "$(DATA)")

fingerprint: .venv/installed  ## compute sample numbers here and on two emulated processors; are the bits the committed ones?
	@$(IN_VENV) python tests/fingerprint/witness.py

chaos: .venv/installed  ## kill KILLS (60) commands at moments drawn from SEED (1), let two meet, damage files; twenty minutes
	@$(IN_VENV) PYTHONPATH=tests/support python tests/chaos/campaign.py --seed "$(SEED)" --kills "$(KILLS)"

places: .venv/installed  ## the tiny suite in odd places, PLACES (all): other paths, users, limits, clocks, a cluster
	@$(IN_VENV) PYTHONPATH=tests/support:tests/chaos python tests/places/campaign.py $(PLACES)

licences: .venv/installed  ## list the licences of all packages and data sets
	@$(IN_VENV) python -m dgr licences

# With a tool of its own, which is no part of the environment. What it finds depends on the day.
audit:  ## look the pinned packages up among known vulnerabilities; needs a network
	$(FIND_PYTHON)
	@tools="$$(mktemp -d)" && trap 'rm -rf "$$tools"' EXIT && "$(PYTHON)" -m venv "$$tools" \
	&& "$$tools/bin/pip" install -qq --disable-pip-version-check pip-audit \
	&& { "$$tools/bin/pip-audit" --strict --disable-pip --no-deps --progress-spinner off -r requirements.lock \
		|| { echo "Not clean, or not known: pip-audit says above what it found or could not look up." >&2; exit 1; }; }

hostile: .venv/installed  ## read TIMES (10) times as much hostile input as `make test`, drawn from SEED (1)
	@$(IN_VENV) PYTHONPATH=tests/support:tests/chaos python tests/hostile/campaign.py --seed "$(SEED)" --times "$(TIMES)"

lint: .venv/installed  ## check style and types only
	@$(IN_VENV) ruff check
	@$(IN_VENV) ruff format --check
	@$(IN_VENV) mypy
	@$(IN_VENV) snakefmt --check Snakefile

docs: .venv-docs/installed  ## build the documentation, site/index.html; a link that leads nowhere fails it
	@PATH="$(CURDIR)/.venv-docs/bin:$$PATH" NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "Done. Page: site/index.html"

# An environment of its own: the project's is pinned for results.
.venv-docs/installed: requirements-docs.lock
	$(FIND_PYTHON)
	@"$(PYTHON)" -m venv .venv-docs
	@.venv-docs/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-docs.lock
	@touch $@

# Installs again only when a lock or the package's metadata changed. First what has one content everywhere, by its hash;
# then torch and what comes with it, as this machine's index gives them. An installation that was interrupted is begun
# anew: pip takes a package for installed whose last files are missing.
.venv/installed: requirements.lock requirements.hashes pyproject.toml
	$(FIND_PYTHON)
	@test ! -e .venv/unfinished || rm -rf .venv
	@mkdir -p .venv && touch .venv/unfinished
	@"$(PYTHON)" -m venv .venv
	@echo "Installing the environment into .venv (about 2 GB; once) ..."
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.hashes
	@.venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@test -e .git || .venv/bin/dvc config --local core.no_scm true  # unpacked from an archive: DVC goes without git
	@rm .venv/unfinished
	@touch $@

# Torch's files of one version differ between machines (CPU, CUDA), and so do the GPU packages that come with it.
lock:  ## resolve pyproject.toml's dependencies anew into requirements.lock and requirements.hashes
	@tools="$$(mktemp -d)" && trap 'rm -rf "$$tools"' EXIT && "$(PYTHON)" -m venv "$$tools" \
	&& "$$tools/bin/pip" install -qq --disable-pip-version-check uv && cp requirements.lock "$$tools/all" \
	&& "$$tools/bin/uv" pip compile --quiet --python-version 3.11 --extra dev --generate-hashes --no-annotate \
		--no-header --output-file "$$tools/all" pyproject.toml \
	&& awk '/^[^ ]/ { kept = !/^(nvidia|cuda|triton)[-=]/ } kept' "$$tools/all" > "$$tools/kept" \
	&& { echo "# Made by 'make lock' from pyproject.toml: what runs and tests the project."; \
		sed -nE 's/^([a-z0-9._-]+==[^ ;\\]+).*/\1/p' "$$tools/kept"; } > "$$tools/lock" \
	&& { echo "# Made by 'make lock': the same with the hash of every file, without torch and torchvision, whose files"; \
		echo "# of one version differ between machines."; \
		awk '/^[^ ]/ { kept = !/^torch(vision)?==/ } kept' "$$tools/kept"; } > "$$tools/hashes" \
	&& cat "$$tools/lock" > requirements.lock && cat "$$tools/hashes" > requirements.hashes

lockdocs:  ## resolve requirements-docs.in anew into requirements-docs.lock
	@tools="$$(mktemp -d)" && trap 'rm -rf "$$tools"' EXIT && "$(PYTHON)" -m venv "$$tools" \
	&& "$$tools/bin/pip" install -qq --disable-pip-version-check uv \
	&& "$$tools/bin/uv" pip compile --quiet --python-version 3.11 --upgrade --generate-hashes --no-annotate --no-header \
		--output-file "$$tools/lock" requirements-docs.in \
	&& { echo "# Made by 'make lockdocs' from requirements-docs.in."; cat "$$tools/lock"; } > requirements-docs.lock

clean-results:  ## remove what runs made: runs, data, logs, caches, quick looks; committed results stay
	@PYTHONPATH=src "$(PYTHON)" -m dgr.terminal.cleaning

clean:  ## remove the environments, the site, logs and tool caches; data, runs and results stay
	rm -rf .venv .venv-docs site .snakemake logs .mypy_cache .pytest_cache .ruff_cache .hypothesis
