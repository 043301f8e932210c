# make test    what the tests need, build, lint, every test (CI runs this)
# make bench   the benchmarks, as one table against their goals
# make race    the tests under the race detector (needs a C compiler)
# make soak    the slow suites: many kill rounds, long runs
# make fuzz    each fuzz target for FUZZTIME (30s)
# make cover   how much of each package the tests reach

GO ?= go
FUZZTIME ?= 30s

.PHONY: test needs build lint bench race soak fuzz cover

test: needs build lint
	$(GO) test -timeout 9m ./...

needs:
	@scripts/needs

build:
	$(GO) build ./...

lint:
	@scripts/lint

bench: needs
	@$(GO) run ./scripts/bench $(BENCH)

race: needs
	CGO_ENABLED=1 $(GO) test -race -timeout 60m ./...

soak: needs
	OMOV_SOAK=1 $(GO) test -count=1 -timeout 3h ./...

fuzz: needs
	@scripts/fuzz $(FUZZTIME)

cover: needs
	@mkdir -p out
	$(GO) test -timeout 20m -coverprofile=out/cover.out ./...
	@$(GO) tool cover -func=out/cover.out | tail -1
