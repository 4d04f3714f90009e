# crypto_rt: real-time crypto prices inside PostgreSQL.  `make help` tells what there is.

EXTENSION = crypto_rt
MODULE_big = crypto_rt
EXTVERSION = 1.0

CORE_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/core/*.c)))
OBJS = $(CORE_OBJS) $(patsubst %.c,%.o,$(sort $(wildcard src/extension/*.c)))
DATA_built = sql/$(EXTENSION)--$(EXTVERSION).sql
# PostgreSQL 15 leaves PGDLLEXPORT empty; with it, nothing else of ours enters the server's name space
PG_CPPFLAGS = -DPGDLLEXPORT='__attribute__((visibility("default")))' $(shell $(PKG_CONFIG) --cflags json-c libcurl hiredis)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-declaration-after-statement \
	-fvisibility=hidden $(WERROR)
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs json-c libcurl hiredis) -lanl
EXTRA_CLEAN = build

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

all: build/coinlore_sim

build/coinlore_sim: $(SIM_SOURCES) $(wildcard src/sim/*.h)
	@mkdir -p build
	$(CC) $(PROGRAM_CFLAGS) $(CPPFLAGS) $(LDFLAGS) -o $@ $(SIM_SOURCES) \
		$$($(PKG_CONFIG) --cflags --libs libmicrohttpd json-c libcurl zlib) -lm -lpthread

build/watch: test/bench/watch.c
	@mkdir -p build
	$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $< $$($(PKG_CONFIG) --cflags --libs libpq hiredis)

sql/$(EXTENSION)--$(EXTVERSION).sql: sql/$(EXTENSION).sql
	cp $< $@

$(OBJS): $(wildcard src/core/*.h src/extension/*.h)

#
# What a person calls
#

AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help deps run test unit fuzz bench lint format
help:
	@echo "make            build the extension and the simulator"
	@echo "make run        install what is missing, build, and show live prices; Ctrl-C stops all of it"
	@echo "make test       install what is missing, build, and run every test"
	@echo "make install    install the extension into PostgreSQL ($(PG_CONFIG))"
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
	@$(MAKE) --no-print-directory -s all unit fuzz WERROR=-Werror
	@$(AS_ROOT) $(MAKE) --no-print-directory -s install
	@test/run

bench:
	@src/run/install-deps bench
	@$(MAKE) --no-print-directory -s all build/watch
	@$(AS_ROOT) $(MAKE) --no-print-directory -s install
	@test/bench/run

#
# Unit tests and fuzzers of the core: with the sanitizers
#

UNIT_TESTS = $(patsubst test/unit/%_test.c,build/unit/%.t,$(sort $(wildcard test/unit/*_test.c)))
FUZZERS = $(patsubst test/fuzz/%.c,build/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
SANITIZE = -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

unit: $(UNIT_TESTS)
fuzz: $(FUZZERS)

build/unit/%.t: test/unit/%_test.c test/unit/unit.h $(CORE_SOURCES) $(wildcard src/core/*.h)
	@mkdir -p build/unit
	$(CC) -std=gnu11 -Wall -Wextra $(WERROR) $(SANITIZE) -Isrc/core -o $@ $< $(CORE_SOURCES) \
		$$($(PKG_CONFIG) --cflags --libs json-c cmocka) -lm

build/fuzz/%: test/fuzz/%.c $(CORE_SOURCES) $(wildcard src/core/*.h)
	@mkdir -p build/fuzz
	clang -std=gnu11 -Wall -Wextra $(WERROR) $(SANITIZE) -fsanitize=fuzzer -Isrc/core -o $@ $< $(CORE_SOURCES) \
		$$($(PKG_CONFIG) --cflags --libs json-c)

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
		--suppressions-list=test/cppcheck-suppressions src/core src/sim src/extension
	clang-tidy --quiet $(CORE_SOURCES) $(SIM_SOURCES) -- -std=gnu11 $$($(PKG_CONFIG) --cflags json-c)
	shellcheck -x $$(grep -rlE '^#!.*(bash|/sh)|^# shellcheck shell' src/run test .ci)
