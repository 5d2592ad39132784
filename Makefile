# make bench   set up, run the suite "smoke", write records and a report
# make test    set up, run all tests, two at a time         make lint   ruff and mypy
# make test-spark  the tests of tests/spark with a real Spark on this machine; skipped where there is no Java
# make faults      the faults of tests/faults in the numbers that harness/METHOD.md states: some seven minutes on 2 cores
# make gpu-check   where there is a CUDA device: the engine's tests, kernels against the copy bandwidth, the ladder
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: bench test test-spark lint faults gpu-check clean

bench: $(VENV)/.ready
	$(BIN)/dualbench run smoke --out results/smoke --resume

test: $(VENV)/.ready-dev
	$(BIN)/python -m tests.support.loops
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not alone" --durations 25
	$(BIN)/python -m pytest -m alone

test-spark: $(VENV)/.ready-spark
	$(BIN)/python -m pytest tests/spark --durations 5 -rs

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

faults: $(VENV)/.ready-dev
	DUALBENCH_CAMPAIGN=1 $(BIN)/python -m pytest tests/faults tests/distributed/test_faults.py -s

gpu-check: $(VENV)/.ready-dev
	@$(BIN)/python -c "import sys, torch; sys.exit(None if torch.cuda.is_available() else 'no CUDA device: see dualbench doctor')"
	mkdir -p results
	$(BIN)/python -m pytest tests/solvers/engine
	$(BIN)/python -m pytest tests/benchmarks/test_kernels.py --benchmark-json results/gpu-kernels.json
	$(BIN)/dualbench run ladder --device cuda --solver blockpdhg --out results/gpu --resume

# Each installs again only when what is to be installed has changed.
$(VENV)/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# Without Java the tests are skipped, and the 450 MB of Spark stay away.
$(VENV)/.ready-spark: $(VENV)/.ready-dev
	! command -v java || $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[spark]'
	touch $@

clean:
	rm -rf $(VENV) results .mypy_cache .ruff_cache .pytest_cache
