# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := build/demo
BENCH  := build/bench
UV     := $(shell command -v uv 2>/dev/null)
TORCH  ?= torch==2.13.0

# uv where present, plain venv and pip otherwise. pip is in the environment either way: the exporter fetches
# models with it. torch comes first and pinned, as a CPU build, or its dependants bring gigabytes of CUDA.
ifdef UV
  MAKE_VENV     := $(UV) venv --quiet --seed --python $(PYTHON) $(VENV)
  INSTALL       := $(UV) pip install --quiet --python $(BIN)/python
  INSTALL_TORCH := $(INSTALL) --torch-backend cpu
else
  MAKE_VENV     := $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
  INSTALL       := $(BIN)/python -m pip install --quiet --disable-pip-version-check
  INSTALL_TORCH := $(INSTALL)
endif

.PHONY: demo test check bench conformance simulate device-test export-env clean
.DELETE_ON_ERROR:

$(VENV)/.made:
	@echo "Making $(VENV)"
	@$(MAKE_VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.made pyproject.toml export/pyproject.toml
	@echo "Installing edgekit and edgekit-export"
	@$(INSTALL) -e '.[report]' -e export
	@touch $@

$(VENV)/.torch: $(VENV)/.base
	@echo "Installing torch (CPU) and transformers, for torch networks and Hugging Face folders as sources"
	@$(INSTALL_TORCH) '$(TORCH)'
	@$(INSTALL) -e '.[report,text,pillow]' -e 'export[transformers]'
	@touch $@

$(VENV)/.test: $(VENV)/.torch
	@echo "Installing what the tests and checks need"
	@$(INSTALL) -e '.[report,text,pillow,litert,preview]' --group test --group check
	@touch $@

# Every package pinned, transitive ones too: pip would search for minutes otherwise.
$(VENV)/.tflite: $(VENV)/.torch export/tflite-constraints.txt
	@echo "Installing the TFLite converter and quantizer (1 GB)"
	@$(INSTALL) -c export/tflite-constraints.txt -e '.[report]' -e 'export[tflite]'
	@touch $@

demo: $(VENV)/.base  ## exports PP-OCR within a budget, measures its drop, runs it on a clip; no torch
	@mkdir -p $(DEMO)
	@$(BIN)/python examples/demo.py $(DEMO)

test: $(VENV)/.test  ## unit, property, attack and export tests, then the ARM devices under emulation
	$(BIN)/python -m pytest --cov --cov-report= --cov-fail-under=90  # rows by file: .venv/bin/coverage report
	$(BIN)/python -m pytest device_tests -rs

check: $(VENV)/.test  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test $(BENCH)/lite0.edge $(BENCH)/signs.mp4  ## side by side with peers; prints machine, versions, n and ratios
	$(BIN)/python benchmarks/camera_loop.py $(BENCH)/lite0.edge $(BENCH)/signs.mp4
	$(BIN)/python benchmarks/quantisers.py

conformance: $(VENV)/.test $(VENV)/.tflite  ## every family through export, run and validate: docs/conformance.md; half an hour
	$(BIN)/python -m edgekit_export.conformance -o docs/conformance.md

simulate: $(VENV)/.test  ## do intervals and gate keep their error rates? a quarter of an hour
	$(BIN)/python benchmarks/coverage.py

$(BENCH)/lite0.edge: | $(VENV)/.test
	@mkdir -p $(BENCH)
	$(BIN)/edgekit export efficientnet-lite0 -o $@

$(BENCH)/signs.mp4: | $(VENV)/.test
	@mkdir -p $(BENCH)
	$(BIN)/python -c "from pathlib import Path; from edgekit_export.data.clip import render_clip; \
		render_clip(Path('$@'), seconds=12, fps=25, size_wh=(640, 480), seed=7)"

device-test: $(VENV)/.test  ## the built wheel on an emulated Raspberry Pi 4 and Pi 5
	$(BIN)/python -m pytest device_tests -rs

export-env: $(VENV)/.tflite  ## everything that `edgekit export` can use; `make test` works without, and tests more with it

clean:
	rm -rf $(VENV) build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
