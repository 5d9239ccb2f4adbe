# Memory errors and undefined behaviour, found by the compiler's sanitizers.
# Sourced by bash, after the functions of script/test.
#
# The extension is built with AddressSanitizer and UndefinedBehaviorSanitizer
# and loaded into Debian's PostgreSQL, which is not: so what the backend itself
# does is not looked at, but every allocation, the backend's included, is
# AddressSanitizer's, and what the extension reads and writes is checked.  By
# clang, which has both in one library: gcc's write to different places.

# Optimised little, so that reports name the lines that did it.  Fortified
# functions would hide their callers' errors from AddressSanitizer, and
# PostgreSQL's own -fwrapv overflows from the other.
sanitizers=undefined,float-cast-overflow
sanitize_flags="-O1 -g -fno-omit-frame-pointer -U_FORTIFY_SOURCE -fno-wrapv"
sanitize_flags+=" -fsanitize=address,$sanitizers -fno-sanitize-recover=$sanitizers"

# sanitize_environment OPTION...: what the run-time library is told, and this.
# A report ends the process as a crash would, and is a file in $reports.
sanitize_environment()
{
	local IFS=:

	ASAN_OPTIONS="abort_on_error=1:log_path=$reports/sanitizer:$*"
	export ASAN_OPTIONS UBSAN_OPTIONS=print_stacktrace=1
}

# make_first_library LIBRARY: one that has AddressSanitizer start before any
# other library does.  It starts at the first allocation, and looks for symbols
# that are not there, which has libc translate a message.  libgpg-error, which
# comes with libsystemd, makes its first allocation while it holds the lock for
# translations: the lock breaks, and the program hangs at its next use.
make_first_library()
{
	printf '%s\n' '#include <stdlib.h>' \
		'__attribute__((constructor)) static void' \
		'first(void) { void *volatile p = malloc(1); free(p); }' |
		gcc -shared -fPIC -Wl,-z,initfirst -o "$1" -x c -
}

# sanitize_postgres: has the private PostgreSQL's program load the run-time
# library, which must be there before the first allocation.  The program alone:
# those that tests run beside it are no business of ours.
sanitize_postgres()
{
	local first=$work/first.so library

	library=$(clang "-print-file-name=libclang_rt.asan-$(uname -m).so") &&
		[ -e "$library" ] &&
		make_first_library "$first" &&
		mv "$bindir/postgres" "$bindir/postgres.real" || return 1
	cat >"$bindir/postgres" <<-END
		#!/bin/bash
		export LD_PRELOAD='$first:$library'
		exec -a "\$0" '$bindir/postgres.real' "\$@"
	END
	chmod 755 "$bindir/postgres"
	run "$work/log/postgres" "$bindir/postgres" --version
}

sanitize_core()
{
	local log=$work/log/unit status=0

	step 'core with the sanitizers, leaks included'
	sanitize_environment detect_leaks=1 detect_stack_use_after_return=1
	run "$log" make -s -C "$work/gcc/test/unit" -j "$(nproc)" check \
		CC=clang CFLAGS="$sanitize_flags" || status=$?
	tally cmocka "$log" "$status" || show_end "$log" 30
}

# A backend ends without freeing anything; PostgreSQL measures the stack's depth
# by addresses of variables, which must be where the stack is; and the run-time
# library is content to come second.
sanitize_build()
{
	local log=$work/log/build

	sanitize_environment detect_leaks=0 detect_stack_use_after_return=0 \
		verify_asan_link_order=0
	check_build 'build with the sanitizers' "$log" make_in "$work/gcc" "$log" \
		-j "$(nproc)" CC=clang COPT="$sanitize_flags $clang_quiet" &&
		check_build 'make install' "$log" make_in "$work/gcc" "$log" install \
			CC=clang &&
		check_build "AddressSanitizer in PostgreSQL's program" \
			"$work/log/postgres" sanitize_postgres
}

test_sanitize()
{
	step_limit=1800
	reports=$work/reports
	mkdir "$reports" && give_away "$reports"
	sanitize_core
	sanitize_build || return
	# how the library is linked, which the sanitizers change
	rm -f "$work/gcc/t/005_library.pl"
	test_regress
	test_tap
	count_reports
}
