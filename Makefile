# "make demo" and "make test" are all a newcomer needs; both set up .venv first, the second time instantly.

BIN := .venv/bin
PYTHON := $(BIN)/python
EMPTY_STORE := data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && export ASANA_SYNC_DATA_DIR="$$data" ASANA_SYNC_DATABASE_URL=

# What failed beside others on a loaded machine gets one more try alone; both outcomes are shown.
AGAIN = $(BIN)/pytest $(OWN_CACHE) -n 1 --last-failed --last-failed-no-failures none
# Which those are is written down for each target by itself: some run side by side.
OWN_CACHE = -o cache_dir=.pytest_cache/$@

COMPILE := UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: bench chaos walk coverage demo servers simulate test setup fmt lock migration
.PHONY: check-format check-types check-imports check-locks check-migrations check-tests check-planner check-simulation check-servers check-promises check-schedules check-planted check-demo

demo: setup  ## both tools side by side in the browser, in step; ONCE=1 plays a checked story and ends
	$(BIN)/asana-sync demo $(if $(ONCE),--once)

test: setup  ## everything .ci/run runs
	$(MAKE) --no-print-directory check-format check-types check-imports check-locks check-migrations
	$(MAKE) --no-print-directory check-tests check-planner check-simulation
	$(MAKE) --no-print-directory --jobs 3 check-servers check-promises check-schedules
	$(MAKE) --no-print-directory check-demo
	@echo "make test: all checks passed"

setup:
	@.ci/bootstrap

check-format:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check-types:
	$(BIN)/mypy connectors sync migrations/env.py

check-imports:
	$(BIN)/lint-imports

check-locks:  ## locked files name no address, so that they install from any index
	@! grep -n '://' requirements.txt requirements-dev.txt .ci/uv.txt .ci/hatchling.txt

check-migrations:  ## the tables in the code are the ones the revisions make
	@$(EMPTY_STORE) && $(PYTHON) -m alembic upgrade head && $(PYTHON) -m alembic check

check-tests:  ## more processes than cores: many tests wait
	$(BIN)/pytest $(OWN_CACHE) -n 4 --dist loadscope --no-loadscope-reorder -m 'not chaos' \
		--ignore=tests/e2e --ignore=tests/reconcile || \
		$(AGAIN) -m 'not chaos' --ignore=tests/e2e --ignore=tests/reconcile

check-planner:  ## every branch of what decides
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n 2 tests/reconcile --cov --cov-report=
	$(BIN)/coverage report --fail-under=100 --show-missing --include='sync/reconcile/*'

check-servers:  ## what counts and claims, by many at once on PostgreSQL; "make servers" runs more
	TEST_STORES=servers $(BIN)/pytest $(OWN_CACHE) -n 2 --dist loadscope tests/jobs/test_worker.py tests/jobs/test_creations.py || \
		TEST_STORES=servers $(AGAIN) tests/jobs/test_worker.py tests/jobs/test_creations.py

check-promises:  ## whole programs: killed around every write, two workers at once, no secret anywhere
	$(BIN)/pytest $(OWN_CACHE) -n 2 --dist loadscope -m 'not chaos' tests/e2e || $(AGAIN) -m 'not chaos' tests/e2e

check-schedules:  ## ten times whole programs that are killed, stopped and emptied at random; "make chaos" plays longer ones
	SCHEDULES=10 EVENTS=15 $(BIN)/pytest $(OWN_CACHE) -n 3 -m chaos tests/e2e/test_schedules.py

check-planted:  ## each of the mistakes planted in the engine is caught by the promise that it breaks; "make chaos" runs it, too
	PYTHONHASHSEED=0 $(BIN)/pytest $(OWN_CACHE) -n 1 tests/simulation/test_planted.py

servers: setup  ## store, jobs and whole programs, chaos too, on PostgreSQL and a queue over TCP: some minutes
	TEST_STORES=servers $(BIN)/pytest -n 3 --dist loadscope tests/store tests/jobs
	TEST_STORES=servers $(BIN)/pytest $(OWN_CACHE) -n 2 --dist loadscope tests/e2e || TEST_STORES=servers $(AGAIN) tests/e2e

bench: setup  ## how fast it is, beside a bare HTTP client; JSON=FILE keeps the figures, ONLY="bulk live" picks
	$(PYTHON) -m tests.bench $(if $(JSON),--json $(JSON)) $(ONLY)

chaos: setup  ## every kind of write under every kind of fault, as whole programs: some minutes more
	PYTHONHASHSEED=0 $(BIN)/pytest -n 2 --dist loadscope -m chaos

simulate: setup  ## towns in virtual time, people at work, trouble everywhere: SEEDS=2000, FIRST=1, TOOL=slack
	$(PYTHON) -m tests.simulation --seeds $(or $(SEEDS),100) --first $(or $(FIRST),1) --tool $(or $(TOOL),github)

walk: setup  ## the program ends at every call and commit of eleven deeds, killed and cancelled: some minutes
	$(PYTHON) -m tests.simulation.crashes

check-simulation:  ## the planner over 100,000 cases; 300 towns, or as many as there is time for, and those that failed once
	$(PYTHON) -m tests.reconcile.many
	$(PYTHON) -m tests.simulation --seeds 300 --minutes 5
	$(PYTHON) -m tests.simulation --seeds 20 --minutes 0.5 --length 30 --tool slack

coverage: setup  ## how much of the code the tests run: some minutes more than the tests alone
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n 4 --dist loadscope --no-loadscope-reorder --ignore=tests/e2e --cov --cov-report=
	$(BIN)/coverage report --skip-covered --skip-empty --fail-under=90
	$(BIN)/coverage report --fail-under=100 --show-missing \
		--include='sync/reconcile/*,connectors/*/translate.py,connectors/*/webhook.py'

check-demo:
	$(MAKE) --no-print-directory demo ONCE=1

fmt: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup  ## after a change of dependencies; UPGRADE=1 also takes newer versions
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev pyproject.toml -o requirements-dev.txt
	echo uv | $(COMPILE) $(if $(UPGRADE),--upgrade) - -o .ci/uv.txt
	echo hatchling | $(COMPILE) --constraint requirements-dev.txt - -o .ci/hatchling.txt

migration: setup  ## the next revision from the tables in the code: make migration NAME=what_changes
	@$(EMPTY_STORE) && $(PYTHON) -m alembic upgrade head && $(PYTHON) -m alembic revision --autogenerate -m '$(NAME)'
	@$(BIN)/ruff check --quiet --fix migrations && $(BIN)/ruff format --quiet migrations
