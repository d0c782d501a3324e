# NetMeta. `make` alone prints this help.
#
#   make run      build everything that is missing and start NetMeta
#   make demo     the same with simulated exporters (data in ./data-demo)
#   make build    write bin/netmeta, with the page inside and the engine beside it
#   make test     all tests; installs Debian packages that they need
#   make audit    what analysers, databases of vulnerabilities and lock files say of code and dependencies
#   make chaos    break what can break under load, and count what is lost (6 minutes)
#   make bench    benchmarks of each stage and end to end; writes bench.tsv
#   make soak     30 minutes at 100,000 flows/s: what grows shows
#   make fuzz     every fuzz target for FUZZTIME (10s) each
#   make golden   rewrite golden files from what the code does now; review the diff
#   make screenshots  pictures of the page in doc/images
#   make clean    remove what was built
#
# Arguments for netmeta go into ARGS: make run ARGS="--data /srv/flows"

SHELL    := /bin/bash
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME := 10s
ARGS     :=

ENGINE := engine/libchdb/node_modules/.installed
IPDATA := enrich/route/ipdata/node_modules/.installed
PAGE   := ui/dist/index.html

.PHONY: help run demo build test audit chaos bench soak fuzz golden screenshots clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^Arguments/q'

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

# Which AS and country an address belongs to, from public tables in npm packages.
$(IPDATA): enrich/route/ipdata/package-lock.json
	@echo "installing the tables of AS and country of addresses (about 30 MB, once)"
	@cd enrich/route/ipdata && npm ci --no-fund --no-audit --ignore-scripts --loglevel=error
	@touch $@

bin/ip.data: $(IPDATA) $(wildcard enrich/route/*.go enrich/route/ipdata/*.go)
	@echo "building bin/ip.data"
	@mkdir -p bin
	@go run ./enrich/route/ipdata $@

ui/node_modules/.installed: ui/package-lock.json
	@echo "installing the tools that build the page"
	@cd ui && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(PAGE): ui/node_modules/.installed $(shell find ui/src -type f 2>/dev/null) ui/build.mjs
	@echo "building the page"
	@npm --prefix ui run --silent build

test: build
	@test/install
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@test/audit
	@# It asks "go list", whose answers the cache of tests does not know.
	go test -count=1 ./internal/arch
	npm --prefix ui run --silent check
	npm --prefix ui run --silent test
	@# As root nothing may be skipped for want of a program or a right.
	@[ "$$(id -u)" -ne 0 ] || export NETMETA_REQUIRE=1; go test -timeout 15m ./...

audit: build
	@test/audit

chaos: build
	@[ "$$(id -u)" -ne 0 ] || export NETMETA_REQUIRE=1; go test -count=1 -timeout 15m -run '^TestChaos' ./cmd/netmeta -chaos -v | grep -v '^=== '

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
