PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PEERS := .venv-peers

.PHONY: demo test test-slow figures claims lint benchmarks peers docs clean

demo: $(READY)
	$(BIN)/odescent compare --problem digits-mlp --method gradient-descent --learning-rate 0.1 --steps 3000 --every 10 \
		--flows gradient modified-2 edge-2 --out runs/demo --overwrite

# Most of it is compilation, which takes a third less time with XLA's older emitters, and for small networks another
# quarter less where it does not optimize or split what it compiles; test-slow has the default.
QUICK := --xla_cpu_use_fusion_emitters=false
UNOPTIMIZED := --xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1

test: $(READY)
	XLA_FLAGS="$(QUICK) $(UNOPTIMIZED)" $(BIN)/python -m pytest -q -n 2 --dist loadfile

test-slow: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow

figures: $(READY)
	$(BIN)/odescent figures --quick --jobs 2 --out runs/figures-quick

claims: $(READY)
	# 1 says that a claim fails, which is written down like any other.
	$(BIN)/odescent figures --jobs 2 --out runs/figures || test $$? -eq 1
	cp runs/figures/claims.md docs/claims.md

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

benchmarks: $(READY)
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/loop_overhead.py
	$(BIN)/python benchmarks/flow_cost.py
	$(BIN)/python benchmarks/many.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/eigenpairs.py
	$(BIN)/python benchmarks/modified_coefficients.py
	$(BIN)/python benchmarks/modified_field.py
	$(BIN)/python benchmarks/modified_orders.py
	$(BIN)/python benchmarks/momentum_orders.py
	$(BIN)/python benchmarks/edge.py
	$(BIN)/python benchmarks/hostile.py

# Beside torch, which nothing else here needs.
peers: $(PEERS)/.ready
	$(PEERS)/bin/python benchmarks/peers.py

docs: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	$(BIN)/python -m sphinx -q docs docs/_build

clean:
	rm -rf .venv $(PEERS) runs

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group tests --group lint
	touch $@

$(PEERS)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(PEERS)/bin/python -m pip install --quiet --constraint constraints.txt --editable . --group peers
	touch $@
