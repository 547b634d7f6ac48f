# wshttpd: make run | test | build | lint | fuzz | race | sanitize | bench
#
# Server and Go plugins must be built alike: always -trimpath, never a go.work
# that holds the API module, cgo on.

export GOFLAGS := -trimpath
export GOWORK := off
export CGO_ENABLED := 1

CC ?= cc
CFLAGS ?= -O2 -Wall -Wextra
FUZZTIME ?= 100000x

# Where build puts what it makes; the tests of examples look there.
WSHTTPD_BUILD := build

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

MODULES := $(WSHTTPD_BUILD)/modules/echo.so $(WSHTTPD_BUILD)/modules/dumb_increment.so $(WSHTTPD_BUILD)/modules/chat.so \
	$(WSHTTPD_BUILD)/modules/mod_websocket_echo.so $(WSHTTPD_BUILD)/modules/mod_websocket_dumb_increment.so $(WSHTTPD_BUILD)/modules/mod_websocket_mirror.so

.PHONY: run build layout test clients lint race sanitize sanitized sanitizable fuzz nested bench clean FORCE

build: $(WSHTTPD_BUILD)/wshttpd $(MODULES) layout

# layout puts the plugins where the example configurations look for them.
layout: $(MODULES)
	@mkdir -p examples/libexec
	@ln -sfn ../$(WSHTTPD_BUILD)/modules examples/modules
	@ln -sfn ../../$(WSHTTPD_BUILD)/modules examples/libexec/apache2

FORCE:

# go build knows itself what has changed.
$(WSHTTPD_BUILD)/wshttpd: FORCE
	go build -o $@ .

$(WSHTTPD_BUILD)/modules/echo.so: FORCE
	go build -buildmode=plugin -o $@ ./examples/echo

$(WSHTTPD_BUILD)/modules/dumb_increment.so: FORCE
	go build -buildmode=plugin -o $@ ./examples/dumb_increment

# A module of its own, as plugins elsewhere are.
$(WSHTTPD_BUILD)/modules/chat.so: $(WSHTTPD_BUILD)/wshttpd FORCE
	@mkdir -p $(WSHTTPD_BUILD)/modules
	$(WSHTTPD_BUILD)/wshttpd build-plugin -o $@ examples/chat

$(WSHTTPD_BUILD)/modules/mod_websocket_%.so: examples/c/mod_websocket_%.c pluginloader/websocket_plugin.h
	@mkdir -p $(WSHTTPD_BUILD)/modules
	$(CC) $(CFLAGS) -fPIC -shared -pthread -Ipluginloader -o $@ $<

# run serves the example configuration until it is interrupted.
run: build
	@mkdir -p $(WSHTTPD_BUILD)/logs
	$(WSHTTPD_BUILD)/wshttpd -X -d $(CURDIR)/examples -f conf/httpd.conf

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

# sanitize runs what drives C plugins, with gcc's AddressSanitizer (leaks at the
# end included) and UndefinedBehaviorSanitizer in server and plugins alike.
#   detect_odr_violation=0: a Go plugin has a copy of the Go runtime's C side
#   use_sigaltstack=0: Go has a signal stack for each thread, and the sanitizer's
#     own calls are taken for errors where a thread ends by apr_thread_exit
# A container that forbids ptrace has no search for leaks: sanitizable tells.
SANITIZERS := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
sanitize: export ASAN_OPTIONS := detect_odr_violation=0:use_sigaltstack=0
sanitize:
	$(MAKE) sanitized WSHTTPD_BUILD=build/sanitized GOFLAGS='-trimpath -asan' CFLAGS='-Wall -Wextra $(SANITIZERS)' \
		CGO_CFLAGS='$(SANITIZERS)' CGO_LDFLAGS='-fsanitize=address,undefined' \
		HTTPD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)"
	@$(MAKE) layout

sanitizable:
	@mkdir -p build
	@echo 'int main(void) { return 0; }' | $(CC) $(SANITIZERS) -x c -o build/sanitizable - && build/sanitizable

# Left out are tests for which the sanitizers' libraries bring what is to be
# missing, or to come from libc.
sanitized: build
	go test -skip '^TestInspect$$|^TestLinkedAsC$$' ./pluginloader
	go test -run 'Plugin|Pools|Module|RequestRec|ParityOf(Functions|Section|Levels|Tunnel|Violations)|Departures|ParityOfShapes/in_this|Callback|Storm' ./server
	go test -run 'FaultsThatCost|AtARestart|ThreadsOfAPlugin|InCThatLast|Mirror|EchoAndCount|Libwebsockets|OldDraftsAtOnce' ./examples

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
