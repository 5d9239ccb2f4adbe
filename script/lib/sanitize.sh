# Memory errors and undefined behaviour, found by the compiler's sanitizers.
# Sourced by bash, after the functions of script/test.
#
# The extension is built with AddressSanitizer and UndefinedBehaviorSanitizer
# and loaded into Debian's PostgreSQL, which is not: so what the backend itself
# does is not looked at, but every allocation, the backend's included, is
# AddressSanitizer's, and what the extension reads and writes is checked.

# Optimised little, so that reports name the lines that did it.  Fortified
# functions would hide their callers' errors from AddressSanitizer.
sanitizers=undefined,float-cast-overflow
sanitize_flags="-O1 -g -fno-omit-frame-pointer -U_FORTIFY_SOURCE"
sanitize_flags+=" -fsanitize=address,$sanitizers -fno-sanitize-recover=$sanitizers"

# sanitize_environment LEAKS: what the run-time libraries are told.  A report
# ends the process as a crash would, and is a file in $reports.
sanitize_environment()
{
	export ASAN_OPTIONS=detect_leaks=$1:abort_on_error=1:log_path=$reports/asan
	export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1:log_path=$reports/ubsan
	# In a backend: its link order is what the preload is for; the stack's depth,
	# which PostgreSQL measures by addresses, must be real.
	[ "$1" -eq 1 ] ||
		ASAN_OPTIONS+=:verify_asan_link_order=0:detect_stack_use_after_return=0
}

# make_first_library LIBRARY: one that has AddressSanitizer start before any
# other library does.  It starts at the first allocation, and looks for a symbol
# that is not there, which has libc translate a message.  libgpg-error, which
# comes with libsystemd, makes its first allocation while it holds the lock for
# translations: the lock breaks, and the program hangs at its next use.
make_first_library()
{
	printf '%s\n' '#include <stdlib.h>' \
		'__attribute__((constructor)) static void' \
		'first(void) { void *volatile p = malloc(1); free(p); }' |
		gcc -shared -fPIC -Wl,-z,initfirst -o "$1" -x c -
}

# sanitize_postgres: has the private PostgreSQL's program load AddressSanitizer,
# which must be there before the first allocation.  The program alone: those
# that tests run beside it are no business of ours.
sanitize_postgres()
{
	local first=$work/first.so asan

	asan=$(gcc -print-file-name=libasan.so) && [ -e "$asan" ] &&
		make_first_library "$first" &&
		mv "$bindir/postgres" "$bindir/postgres.real" || return 1
	cat >"$bindir/postgres" <<-END
		#!/bin/bash
		export LD_PRELOAD='$first:$asan'
		exec -a "\$0" '$bindir/postgres.real' "\$@"
	END
	chmod 755 "$bindir/postgres"
	run "$work/log/postgres" "$bindir/postgres" --version
}

sanitize_core()
{
	local log=$work/log/unit status=0

	step 'core with the sanitizers, leaks included'
	sanitize_environment 1
	run "$log" make -s -C "$work/gcc/test/unit" -j "$(nproc)" check \
		CC=gcc CFLAGS="$sanitize_flags" || status=$?
	tally cmocka "$log" "$status" || show_end "$log" 30
}

sanitize_build()
{
	local log=$work/log/build

	check_build 'build with the sanitizers' "$log" make_in "$work/gcc" "$log" \
		-j "$(nproc)" CC=gcc COPT="$sanitize_flags" &&
		check_build 'make install' "$log" make_in "$work/gcc" "$log" install \
			CC=gcc COPT="$sanitize_flags" &&
		check_build "AddressSanitizer in PostgreSQL's program" \
			"$work/log/postgres" sanitize_postgres
}

test_sanitize()
{
	step_limit=1800
	reports=$work/reports
	mkdir "$reports" && give_away "$reports"
	sanitize_core
	sanitize_environment 0
	sanitize_build || return
	# how the library is linked, which the sanitizers change
	rm "$work/gcc/t/005_library.pl"
	test_regress
	test_tap
}
