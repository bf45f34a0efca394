# The commands of the project. `make demo` and `make test` need python3 >= 3.11 and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/sample/household_power_hourly.csv.gz

.PHONY: help demo serve install install-dev install-lint test test-all test-long check format bench bench-huge bench-quality audit fuzz train requirements example clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: install  ## Run the main job on the sample: four sub-meters of a house, four years, hourly
	@$(BIN)/energy run $(SAMPLE) --site demo

serve: install  ## Open the dashboard on the lake: make demo first for something to see
	@$(BIN)/energy serve --open

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is needed (Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }
	@touch $@

# pip's own last line names a library, whatever the reason.
OR_SAY := || { echo "The libraries could not be installed; what pip says above is the reason. They come over the network, from the package index that pip is set to: try again when it can be reached, and make goes on where it stopped."; exit 1; }

$(VENV)/.installed: $(VENV)/.made requirements.txt pyproject.toml
	@echo "Setting up $(VENV): once, a minute or a few, over the network"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt $(OR_SAY)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable . $(OR_SAY)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt $(OR_SAY)
	@touch $@

# The security linter of the cloud template, apart from the project's own environment: it pins what it needs.
LINT := .venv-lint

install-lint: $(LINT)/.installed

$(LINT)/.installed: $(VENV)/.made infrastructure/requirements-lint.txt
	@$(PYTHON) -m venv $(LINT)
	@$(LINT)/bin/python -m pip install -qq --disable-pip-version-check -r infrastructure/requirements-lint.txt $(OR_SAY)
	@touch $@

# Where PYTHONDONTWRITEBYTECODE is set, each of the thousands of processes of the tests would compile all modules anew.
# One process more than there are cores: many tests wait for a server, a browser or a function for most of their time.
PYTEST = $(BIN)/python -m compileall -q src tests benchmarks && $(BIN)/python -m pytest --dist loadgroup \
  -n $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)')

test: install-dev install-lint  ## Run the tests, but the slow ones
	@$(PYTEST) -m "not slow and not long"

test-all: install-dev install-lint  ## Run all tests, but those that take many minutes each
	@$(PYTEST) -m "not long"

test-long: install-dev install-lint  ## Run the soaks, each fault at each step, and many more sequences by chance
	@export FAULTS_ALL=1; $(PYTEST) -m long

check: install-dev  ## Format, lint, types, import contract, security rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bandit -q -c pyproject.toml -r src lambda scripts infrastructure

format: install-dev  ## Put the code in shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# A rival of the speed benchmark that the project itself does not need.
RIVALS := .venv-bench

$(RIVALS)/.installed: $(VENV)/.made benchmarks/speed/rivals.txt
	@$(PYTHON) -m venv $(RIVALS)
	@$(RIVALS)/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/speed/rivals.txt
	@touch $@

bench: install-dev $(RIVALS)/.installed  ## Measure speed and memory against pandas, polars and DuckDB, the dashboard, and the function on AWS's emulator
	@$(BIN)/python -m benchmarks.speed
	@$(BIN)/python benchmarks/aws.py
	@$(BIN)/python benchmarks/aws_dashboard.py
	@$(BIN)/python benchmarks/web.py

bench-huge: install-dev $(RIVALS)/.installed  ## Measure 100 million rows, 10,000 sites and 1,825 uploads: hours, and 15 GB of disk
	@$(BIN)/python -m benchmarks.speed --huge; status=$$?; rm -rf build/bench/50x1min-100000000.csv build/bench/sites-10000; exit $$status

# What the quality benchmarks and the training need, apart from the project's own environment: rival models that
# are not ours to ship, one of which still wants an older pandas.
DATA ?= $(or $(ENERGY_TEST_DATA),../shared/data)
QUALITY := .venv-quality

$(QUALITY)/.installed: benchmarks/requirements.txt
	@$(PYTHON) -m venv $(QUALITY)
	@$(QUALITY)/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

bench-quality: $(QUALITY)/.installed  ## Measure forecast and episodes on the meters of a folder: make bench-quality DATA=folder
	PYTHONPATH=src $(QUALITY)/bin/python -m benchmarks.quality_forecast --data $(DATA) $(if $(wildcard $(DATA)/smart_meters_au),--left-out) --rivals
	PYTHONPATH=src $(QUALITY)/bin/python -m benchmarks.quality_anomalies $(DATA)

# The advisories are asked for by name and version, over the network; without it nothing is audited, and it says so.
AUDIT := .venv-audit
AUDITED := requirements.txt requirements-dev.txt lambda/requirements.txt lambda/requirements-dashboard.txt \
  infrastructure/requirements-lint.txt infrastructure/requirements-audit.txt benchmarks/requirements.txt \
  benchmarks/speed/rivals.txt

$(AUDIT)/.installed: $(VENV)/.made infrastructure/requirements-audit.txt
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install -qq --disable-pip-version-check -r infrastructure/requirements-audit.txt
	@touch $@

audit: $(AUDIT)/.installed  ## Ask the public advisories about the pinned dependencies
	@for file in $(AUDITED); do \
	  rm -f $(AUDIT)/answer; \
	  if $(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$file \
	    -o $(AUDIT)/answer 2>$(AUDIT)/said; then echo "$$file: no known fault"; \
	  elif [ -s $(AUDIT)/answer ]; then echo "$$file:"; cat $(AUDIT)/answer; exit 1; \
	  else echo "$$file was not audited: the advisories could not be asked. It said:"; tail -n 1 $(AUDIT)/said; exit 1; fi; \
	done

fuzz: install-dev  ## Make uploads by chance for half an hour, and hold their reading against what must be true
	@PYTHONPATH=src:tests nice -n 19 $(BIN)/python -m fuzz --seconds 1800

example: install  ## Write the example reports anew
	@$(BIN)/python docs/examples/write.py

train: $(QUALITY)/.installed  ## Make the pre-trained part of the forecast anew: make train DATA=folder
	PYTHONPATH=src $(QUALITY)/bin/python -m benchmarks.train_forecast --data $(DATA)

requirements: install-dev  ## Pin the dependencies anew, with hashes
	@$(BIN)/uv pip compile pyproject.toml --group dev $(PIN) -o requirements-dev.txt
	@$(BIN)/uv pip compile pyproject.toml -c requirements-dev.txt $(PIN) -o requirements.txt
	@$(BIN)/uv pip compile --group lambda -c requirements-dev.txt $(PIN) $(NEVER_IMPORTED) -o lambda/requirements.txt
	@$(BIN)/uv pip compile --group dashboard -c requirements-dev.txt $(PIN) -o lambda/requirements-dashboard.txt
	@$(BIN)/uv pip compile infrastructure/requirements-lint.in $(PIN) -o infrastructure/requirements-lint.txt
	@$(BIN)/uv pip compile benchmarks/speed/rivals.in $(PIN) -o benchmarks/speed/rivals.txt
	@$(BIN)/uv pip compile infrastructure/requirements-audit.in $(PIN) -o infrastructure/requirements-audit.txt
	@$(BIN)/uv pip compile benchmarks/requirements.in $(PIN) -o benchmarks/requirements.txt

# Prophet asks for what only its plots need.
NEVER_IMPORTED := $(addprefix --no-emit-package ,matplotlib contourpy cycler fonttools kiwisolver pillow pyparsing)

PIN := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade

clean:  ## Remove what make made; the lake stays (energy clean removes it)
	rm -rf $(VENV) $(QUALITY) $(LINT) $(AUDIT) $(RIVALS) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
