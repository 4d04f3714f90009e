# crypto_rt: real-time crypto prices inside PostgreSQL.  `make help` tells what there is.

EXTENSION = crypto_rt
MODULE_big = crypto_rt
# the version that the script sql/crypto_rt.sql installs; later ones are scripts from version to version
BASE_VERSION = 1.0

CORE_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/core/*.c)))
OBJS = $(CORE_OBJS) $(patsubst %.c,%.o,$(sort $(wildcard src/extension/*.c)))
DATA_built = sql/$(EXTENSION)--$(BASE_VERSION).sql
DATA = $(sort $(wildcard sql/$(EXTENSION)--*--*.sql))
# PostgreSQL 15 leaves PGDLLEXPORT empty; with it, nothing else of ours enters the server's name space
PG_CPPFLAGS = -DPGDLLEXPORT='__attribute__((visibility("default")))' $(shell $(PKG_CONFIG) --cflags json-c libcurl hiredis)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-declaration-after-statement \
	-fvisibility=hidden $(WERROR)
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs json-c libcurl hiredis) -lanl
EXTRA_CLEAN = build src/web/react/dist

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
# the expected output is looked for in ./expected, where pg_regress looks first
REGRESS_OPTS = --inputdir=test --encoding=UTF8 --load-extension=pgtap --load-extension=crypto_rt

PKG_CONFIG ?= pkg-config
PG_CONFIG ?= pg_config

# Bitcode would need the clang that the server was built with, and gains nothing: what is called per row is C already.
override with_llvm = no

# A goal that installs what is missing must work before pg_config is there.
ifneq ($(shell command -v $(PG_CONFIG)),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
-include $(PGXS)
endif

.DEFAULT_GOAL := all

#
# Programs
#

PROGRAM_CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR)
SIM_SOURCES = $(sort $(wildcard src/sim/*.c))
CORE_SOURCES = $(sort $(wildcard src/core/*.c))
HTTP_SOURCES = $(sort $(wildcard src/http/*.c))
# Debian has two flavours of libjwt; either does
LIBJWT = $(shell $(PKG_CONFIG) --exists libjwt-gnutls && echo libjwt-gnutls || echo libjwt)
HTTP_LIBS = $$($(PKG_CONFIG) --cflags --libs libmicrohttpd hiredis json-c gnutls libpq zlib $(LIBJWT))

all: build/coinlore_sim build/crypto_rt_http

build/coinlore_sim: $(SIM_SOURCES) $(wildcard src/sim/*.h)
	@mkdir -p build
	$(CC) $(PROGRAM_CFLAGS) $(CPPFLAGS) $(LDFLAGS) -o $@ $(SIM_SOURCES) \
		$$($(PKG_CONFIG) --cflags --libs libmicrohttpd json-c libcurl zlib) -lm -lpthread

HTTP_ALL_SOURCES = $(HTTP_SOURCES) $(CORE_SOURCES) build/web_files.c

build/crypto_rt_http: $(HTTP_ALL_SOURCES) $(wildcard src/http/*.h src/core/*.h)
	@mkdir -p build
	$(CC) $(PROGRAM_CFLAGS) -D_GNU_SOURCE $(CPPFLAGS) $(LDFLAGS) -o $@ $(HTTP_ALL_SOURCES) $(HTTP_LIBS) -lm

# the same with the sanitizers, for the hostile clients of test/t/022_http_hostile.t
build/crypto_rt_http.asan: $(HTTP_ALL_SOURCES) $(wildcard src/http/*.h src/core/*.h)
	@mkdir -p build
	$(CC) $(PROGRAM_CFLAGS) -D_GNU_SOURCE $(SANITIZE) -o $@ $(HTTP_ALL_SOURCES) $(HTTP_LIBS) -lm

#
# The dashboard, compiled into the daemon
#

# src/web/build looks itself whether there is something to do; for the tests it must come of it, for the daemon it may not
WEB_FOR = make

.PHONY: web build-web
web:
	@src/web/build web

build-web:
	@src/web/build $(WEB_FOR)

build/web_files.c: build-web
	@src/web/embed build/web $@

build/watch build/streams: build/%: test/bench/%.c
	@mkdir -p build
	$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $< $$($(PKG_CONFIG) --cflags --libs libpq hiredis)

# The daemon goes where administrators put programs, not into PostgreSQL's own folders.
PREFIX ?= /usr/local

.PHONY: install-http
install-http: build/crypto_rt_http
	install -D -m 755 build/crypto_rt_http $(DESTDIR)$(PREFIX)/bin/crypto_rt_http
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system src/http/crypto_rt_http.service src/http/crypto_rt_http.socket

sql/$(EXTENSION)--$(BASE_VERSION).sql: sql/$(EXTENSION).sql
	cp $< $@

$(OBJS): $(wildcard src/core/*.h src/extension/*.h)

#
# What a person calls
#

AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help deps run test unit fuzz bench lint format
help:
	@echo "make            build the extension, the HTTP daemon and the simulator"
	@echo "make run        install what is missing, build, and show live prices; Ctrl-C stops all of it"
	@echo "make test       install what is missing, build, and run every test"
	@echo "make web        build the dashboard, which make puts into the daemon"
	@echo "make install    install the extension into PostgreSQL ($(PG_CONFIG))"
	@echo "make install-http  install the HTTP daemon and its systemd units ($(PREFIX))"
	@echo "make installcheck  run the SQL tests against a running server"
	@echo "make bench      measure, beside what one would use instead"
	@echo "make lint       clang-format, clang-tidy, cppcheck and shellcheck"
	@echo "make format     bring the sources into their format"
	@echo "make clean      remove what was built"

run:
	@src/run/install-deps run
	@echo "building"
	@$(MAKE) --no-print-directory -s all
	@$(AS_ROOT) $(MAKE) --no-print-directory -s install
	@src/run/run

test:
	@src/run/install-deps test
	@$(MAKE) --no-print-directory -s all build/crypto_rt_http.asan unit fuzz test/js/node_modules WERROR=-Werror WEB_FOR=test
	@$(AS_ROOT) $(MAKE) --no-print-directory -s install
	@test/run

bench:
	@src/run/install-deps bench
	@$(MAKE) --no-print-directory -s all build/watch build/streams
	@$(AS_ROOT) $(MAKE) --no-print-directory -s install
	@test/bench/run
	@test/bench/history
	@test/bench/http
	@test/bench/rest

#
# Unit tests and fuzzers of the core: with the sanitizers
#

UNIT_TESTS = $(patsubst test/unit/%_test.c,build/unit/%.t,$(sort $(wildcard test/unit/*_test.c)))
FUZZERS = $(patsubst test/fuzz/%.c,build/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
SANITIZE = -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

unit: $(UNIT_TESTS)
fuzz: $(FUZZERS)

# what a test needs of the daemon besides the core
OF_HTTP_limiter = limiter
OF_HTTP_options = options options_source options_value
OF_HTTP_quotes = quotes quote_read
OF_HTTP_fuzz_quotes = quotes quote_read
OF_HTTP_subscription = subscription stream_query
OF_HTTP_stream_query = stream_query
OF_HTTP_fuzz_stream = stream_query
OF_HTTP_fuzz_feed_message = feed_message
OF_HTTP_candles_query = candles_query
OF_HTTP_fuzz_candles = candles_query
OF_REST = rest_query rest_reader rest_syntax rest_error rest_headers rest_catalog rest_call rest_filter rest_sql
OF_HTTP_rest_headers = $(OF_REST)
OF_HTTP_rest_sql = $(OF_REST)
OF_HTTP_fuzz_rest = $(OF_REST)
of_http = $(OF_HTTP_$(1):%=src/http/%.c)

.SECONDEXPANSION:
build/unit/%.t: test/unit/%_test.c test/unit/unit.h $(CORE_SOURCES) $$(call of_http,$$*) $(wildcard src/core/*.h src/http/*.h)
	@mkdir -p build/unit
	$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(WERROR) $(SANITIZE) -Isrc/core -Isrc/http -o $@ $(filter %.c,$^) \
		$$($(PKG_CONFIG) --cflags --libs json-c cmocka libpq) -lm

build/fuzz/%: test/fuzz/%.c $(CORE_SOURCES) $$(call of_http,$$*) $(wildcard src/core/*.h src/http/*.h)
	@mkdir -p build/fuzz
	clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(WERROR) $(SANITIZE) -fsanitize=fuzzer -Isrc/core -Isrc/http -o $@ $(filter %.c,$^) \
		$$($(PKG_CONFIG) --cflags --libs json-c)

test/js/node_modules: test/js/package.json
	cd test/js && npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

#
# Looks
#

C_FILES = $(sort $(wildcard src/*/*.[ch] test/unit/*.[ch] test/fuzz/*.[ch] test/bench/*.c))

format:
	@src/run/install-deps lint
	clang-format -i $(C_FILES)

lint:
	@src/run/install-deps lint
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppressions-list=test/cppcheck-suppressions src/core src/sim src/extension src/http
	clang-tidy --quiet $(CORE_SOURCES) $(SIM_SOURCES) -- -std=gnu11 $$($(PKG_CONFIG) --cflags json-c)
	clang-tidy --quiet $(HTTP_SOURCES) -- -std=gnu11 -D_GNU_SOURCE $$($(PKG_CONFIG) --cflags json-c hiredis libpq)
	shellcheck -x $$(grep -rlE '^#!.*(bash|/sh)|^# shellcheck shell' src/run test .ci) src/web/build src/web/embed
