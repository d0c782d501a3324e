# NetMeta. `make` without a target prints this help.
#
#   make run      build what is missing and start NetMeta
#   make demo     the same with simulated exporters (data in ./data-demo)
#   make build    write bin/netmeta, which contains the web UI, and link the engine next to it
#   make test     run all tests; installs the Debian packages that they need
#   make audit    check code and dependencies with analysers, vulnerability databases and lock files
#   make chaos    cause faults under load and count the losses (6 minutes)
#   make bench    benchmark each stage and the whole; writes bench.tsv
#   make bench-gate  fail if decoding, encoding or the path from socket to block became 15 % slower
#   make test-long  run all tests in their long forms (half an hour)
#   make soak     30 minutes at 100,000 flows/s; shows what grows
#   make fuzz     run every fuzz target for FUZZTIME (10s)
#   make golden   rewrite golden files from the current output; review the diff
#   make screenshots  write screenshots of the web UI to doc/images
#   make clean    remove everything that was built
#
# Pass arguments for netmeta in ARGS: make run ARGS="--data /srv/flows"

SHELL    := /bin/bash
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME := 10s
ARGS     :=
# Packages whose goroutines share memory: their tests run under the race detector. Of store and api, where most
# tests compare answers, those of goroutines run so as well.
CONCURRENT := ./pipe ./source ./source/udp ./source/sourcetest ./enrich ./collector
GOROUTINES := Writer|Spool|AtOnce|Outage|Keepers|Retention|Cancel|TestStored|TestCache|Stream|EndQuery|OwnQueries|Stalled|TestConfigure|TableState|TestSenders

ENGINE := engine/libchdb/node_modules/.installed
IPDATA := enrich/route/ipdata/node_modules/.installed
PAGE   := ui/dist/index.html

.PHONY: help run demo build test test-long audit chaos bench bench-gate soak fuzz golden screenshots clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^Pass arguments/q'

run: build
	@exec bin/netmeta run $(ARGS)

demo: build
	@exec bin/netmeta run --demo $(ARGS)

build: $(ENGINE) $(PAGE) bin/ip.data
	@echo "building bin/netmeta"
	@CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/netmeta ./cmd/netmeta
	@ln -sf ../$$(echo engine/libchdb/node_modules/@chdb/lib-*/libchdb.so) bin/libchdb.so

# The engine is a shared library in an npm package; the lock file pins its digest.
$(ENGINE): engine/libchdb/package-lock.json
	@echo "installing the ClickHouse engine (about 180 MB, once)"
	@cd engine/libchdb && npm ci --no-fund --no-audit --ignore-scripts --loglevel=error
	@touch $@

# AS and country of addresses, from public tables in npm packages.
$(IPDATA): enrich/route/ipdata/package-lock.json
	@echo "installing the tables of ASes and countries (about 30 MB, once)"
	@cd enrich/route/ipdata && npm ci --no-fund --no-audit --ignore-scripts --loglevel=error
	@touch $@

bin/ip.data: $(IPDATA) $(wildcard enrich/route/*.go enrich/route/ipdata/*.go)
	@echo "building bin/ip.data"
	@mkdir -p bin
	@go run ./enrich/route/ipdata $@

ui/node_modules/.installed: ui/package-lock.json
	@echo "installing the tools that build the web UI"
	@cd ui && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(PAGE): ui/node_modules/.installed $(shell find ui/src -type f 2>/dev/null) ui/build.mjs
	@echo "building the web UI"
	@npm --prefix ui run --silent build

test: build
	@test/install
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "run gofmt on:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@test/audit
	@# It depends on "go list", which the test cache does not track.
	go test -count=1 ./internal/arch
	npm --prefix ui run --silent check
	npm --prefix ui run --silent test
	@# As root, no test may be skipped because a program or a privilege is missing.
	@[ "$$(id -u)" -ne 0 ] || export NETMETA_REQUIRE=1; \
	go test -short -race -timeout 15m -parallel 4 $(CONCURRENT) && \
	go test -short -race -timeout 15m -run '$(GOROUTINES)' ./store ./api; race=$$?; \
	go test -short -timeout 25m -parallel 4 $$(go list ./... | grep -vxF "$$(go list $(CONCURRENT))") && exit $$race

# Every test in its long form.
test-long: build
	@test/install
	@[ "$$(id -u)" -ne 0 ] || export NETMETA_REQUIRE=1; go test -timeout 60m -parallel 4 ./...

audit: build
	@test/audit

chaos: build
	@[ "$$(id -u)" -ne 0 ] || export NETMETA_REQUIRE=1; go test -count=1 -timeout 15m -run '^TestChaos' ./cmd/netmeta -chaos -v | grep -v '^=== '

# Ratios to a reference loop of the same run; UPDATE=-gate-update records those of today.
bench-gate: build
	@go run ./internal/bench -gate internal/bench/gate.tsv $(UPDATE)

bench: build
	@go run ./internal/bench

soak: build
	@go run ./internal/bench -soak 30 -rate 100000 -out soak.tsv

fuzz: build
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep ^Fuzz); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

golden: build
	go test $$(grep -rl internal/golden --include=*_test.go . | xargs -n1 dirname | grep -v internal/arch | sort -u) -update

screenshots: build
	@test/screenshots

clean:
	rm -rf bin ui/dist/assets ui/dist/index.html* ui/node_modules engine/libchdb/node_modules enrich/route/ipdata/node_modules bench.tsv soak.tsv
