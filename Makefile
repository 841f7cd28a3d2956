# The project's commands. `make up` is the place to start; each is described in the README.
# BUILD is where cargo puts binaries; SECONDS, N, RUNS, FULL, CAMPAIGN, HOLD_XMIN, PURGE and INBOUND are for `make bench`,
# ONLY for `make micro`, CARRIERS, SEED, N and KILLS for `make chaos`, WAITS for flags of the waits that it shortens
# (`millrace chaos --help`), FAIR for flags of `make fair` (`millrace fair --help`), MINUTES and RATE for `make soak`,
# N for `make cluster`, CASES for `make fuzz`; FULL=1 has `make test-api` ask many cases of each operation.
export PATH := $(HOME)/.cargo/bin:$(PATH)
BUILD = $${CARGO_TARGET_DIR:-target}/release
CHAOS = $(if $(CARRIERS),--carriers $(CARRIERS)) $(if $(SEED),--seed $(SEED)) $(if $(N),--recipients $(N)) $(if $(KILLS),--kills $(KILLS)) $(WAITS)
SOAK = $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))
BENCH = $(if $(SECONDS),--seconds $(SECONDS)) $(if $(N),--messages $(N)) $(if $(RUNS),--runs $(RUNS)) $(if $(FULL),--full) $(if $(CAMPAIGN),--campaign $(CAMPAIGN)) $(if $(HOLD_XMIN),--hold-xmin $(HOLD_XMIN)) $(if $(PURGE),--purge $(PURGE)) $(if $(INBOUND),--inbound $(INBOUND))

.PHONY: up console test test-api test-sdk test-console check bench micro chaos fair soak cluster level scans fuzz

up: ; @scripts/setup --node && scripts/console && cargo build --release --locked --bin millrace && exec $(BUILD)/millrace up --demo

console: ; @scripts/setup --node && scripts/console --needed

test: ; @scripts/setup --tests && cargo nextest run --workspace --locked

test-api: ; @scripts/setup --api && cargo test --workspace --locked --no-run --quiet && scripts/test-api

test-sdk: ; @scripts/setup --sdk && cargo test --workspace --locked --no-run --quiet && scripts/test-sdk

test-console: ; @scripts/setup --console && scripts/console --needed && cargo build --release --locked --bin millrace && scripts/test-console

check: ; @scripts/setup --check && cargo fmt --all --check && cargo clippy --workspace --all-targets --locked -- -D warnings && cargo nextest run --workspace --locked -E 'binary(tidy)' && scripts/console --check && scripts/deny && scripts/sqlx check

bench: ; @scripts/setup && cargo build --release --locked --bin millrace && exec $(BUILD)/millrace bench $(BENCH)

micro: ; @scripts/setup && cargo bench --locked -p domain -p wire -- $(ONLY)

chaos: ; @scripts/setup && cargo build --release --locked --bin millrace && exec $(BUILD)/millrace chaos $(CHAOS)

fair: ; @scripts/setup && cargo build --release --locked --bin millrace && exec $(BUILD)/millrace fair $(FAIR)

soak: ; @scripts/setup && cargo build --release --locked --bin millrace && exec $(BUILD)/millrace soak $(SOAK)

cluster: ; @scripts/setup && cargo build --release --locked --bin millrace && exec $(BUILD)/millrace cluster $(if $(N),--texts $(N))

level: ; @scripts/setup --tests && LEVEL_MESSAGES=50000 cargo test --locked -p schedule --test it -- --nocapture tables_level_off

fuzz: ; @scripts/setup --tests && PROPTEST_CASES=$${CASES:-100000} cargo nextest run --workspace --locked -E 'test(/whatever_/) or binary(rules)' --no-fail-fast

scans: ; @scripts/setup --tests && SCANS=full cargo test --locked -p store --test it -- --nocapture --test-threads 1 scans::
