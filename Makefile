# wshttpd: make run | test | build | lint | fuzz | race | bench
#
# Server and Go plugins must be built alike: always -trimpath, never a go.work
# that holds the API module, cgo on.

export GOFLAGS := -trimpath
export GOWORK := off
export CGO_ENABLED := 1

CC ?= cc
CFLAGS ?= -O2 -Wall -Wextra
FUZZTIME ?= 100000x

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

MODULES := build/modules/echo.so build/modules/dumb_increment.so build/modules/chat.so \
	build/modules/mod_websocket_echo.so build/modules/mod_websocket_dumb_increment.so build/modules/mod_websocket_mirror.so

.PHONY: run build layout test clients lint race fuzz nested bench clean FORCE

build: build/wshttpd $(MODULES) layout

# layout puts the plugins where the example configurations look for them.
layout: $(MODULES)
	@mkdir -p examples/libexec
	@ln -sfn ../build/modules examples/modules
	@ln -sfn ../../build/modules examples/libexec/apache2

FORCE:

# go build knows itself what has changed.
build/wshttpd: FORCE
	go build -o $@ .

build/modules/echo.so: FORCE
	go build -buildmode=plugin -o $@ ./examples/echo

build/modules/dumb_increment.so: FORCE
	go build -buildmode=plugin -o $@ ./examples/dumb_increment

# A module of its own, as plugins elsewhere are.
build/modules/chat.so: build/wshttpd FORCE
	@mkdir -p build/modules
	build/wshttpd build-plugin -o $@ examples/chat

build/modules/mod_websocket_%.so: examples/c/mod_websocket_%.c pluginloader/websocket_plugin.h
	@mkdir -p build/modules
	$(CC) $(CFLAGS) -fPIC -shared -pthread -Ipluginloader -o $@ $<

# run serves the example configuration until it is interrupted.
run: build
	@mkdir -p build/logs
	build/wshttpd -X -d $(CURDIR)/examples -f conf/httpd.conf

# test installs the foreign clients first: as root through apt-get and npm,
# else it names the commands. The server's tests run on both drivers of
# connections: event loops and a goroutine each.
test: build clients
	go vet ./...
	go test ./...
	go test -tags goroutines ./server/...

clients:
	sh examples/testdata/install-clients.sh

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
		if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; fi

# Packages whose tests build plugins or drive the whole server are left to
# test: Go's race detector does not go with plugins.
race:
	go test -race ./httpdconf/... ./ws/... ./server ./server/eventloop ./server/doctor ./server/supervise/logsink

# fuzz runs every fuzz target of the tree for FUZZTIME: a count of inputs, since
# the fuzzer takes the end of a time for a failure when an input is under way.
fuzz:
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$pkg; \
		done; done

nested:
	cd pluginloader/wsplugin && go vet ./... && go test ./...
	cd bench && go vet ./... && go test ./...
	cd examples/chat && go vet ./... && go test ./...

clean:
	rm -rf build
