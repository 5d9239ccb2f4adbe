# nclue_fdw: PostgreSQL foreign-data wrapper for NAVER Cloud's NCLUE
#
#	make, make install, make installcheck	the PGXS way
#	make unit								the core's tests, without PostgreSQL
#	make dist								the last commit as PGXN wants it

MODULE_big = nclue_fdw
CORE = attempt doc doc_place doc_text failure http http_address http_transfer iso8601 limiter resource sign uri walk
SHELL_SIDE = account analyze answers arrival budget check explain fetch import listing listing_walk lookup option own plan reader report row scan scope shared store upper version views
OBJS = nclue_fdw.o $(SHELL_SIDE:%=src/%.o) $(CORE:%=src/core/%.o)

EXTENSION = nclue_fdw
DATA = nclue_fdw--1.0.sql
PGFILEDESC = "nclue_fdw - foreign-data wrapper for NAVER Cloud NCLUE"

REGRESS = $(basename $(notdir $(wildcard sql/*.sql)))
REGRESS_OPTS = --encoding=UTF8 --no-locale --launcher=$(CURDIR)/test/launcher
TAP_TESTS = 1

PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -fvisibility=hidden -Wall -Wextra $(WERROR)
SHLIB_LINK = -lcurl -lcrypto -ljansson

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PostgreSQL's own flags are those of the compiler it was built with
ifneq (,$(findstring clang,$(CC)))
override CFLAGS := $(filter-out -fexcess-precision=standard \
	-Wimplicit-fallthrough=3 -Wno-format-truncation -Wno-stringop-truncation \
	-Wshadow=compatible-local -Wcast-function-type,$(CFLAGS))
endif

# a header's change rebuilds all: there are few files
$(OBJS): $(wildcard src/*.h src/core/*.h)

unit:
	$(MAKE) -C test/unit check

# git leaves out what .gitattributes says
DISTVERSION = $(shell sed -n 's/^   "version": "\(.*\)",$$/\1/p' META.json)
dist:
	for suffix in zip tar.gz; do \
		git archive --prefix=nclue_fdw-$(DISTVERSION)/ \
			-o nclue_fdw-$(DISTVERSION).$$suffix HEAD || exit 1; \
	done

.PHONY: unit dist
