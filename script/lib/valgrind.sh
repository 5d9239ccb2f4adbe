# Memory errors found by valgrind, in the extension and in what it gives to
# PostgreSQL: the one of checked.sh tells valgrind of its memory contexts.
# Sourced by bash, after checked.sh and the functions of script/test.

# A report is a file in $reports; where there is none the file is empty.
valgrind="valgrind -q --vgdb=no --num-callers=30"

# write_runner FILE: a program that runs a test of the core under valgrind.  A
# leak is what nothing points to any more, and a file that is left open; files
# that the test was started with are not.
write_runner()
{
	cat >"$1" <<-END
		#!/bin/bash
		log='$work'/valgrind.\$\$
		$valgrind --leak-check=full --track-fds=yes --log-file="\$log" "\$@"
		status=\$?
		awk '
			/== FILE DESCRIPTORS:/ || /^==[0-9]+== *\$/ { next }
			/== Open file descriptor/ { file = \$0; next }
			file && /<inherited from parent>/ { file = ""; next }
			file { print file; file = "" }
			{ print }' "\$log" >'$reports'/"\${1##*/}"
		exit \$status
	END
	chmod 755 "$1"
}

# The two left out check the walk alone, which has no pointers, in so many orders
# of events that it would take an hour; test_walk is there.
valgrind_core()
{
	local log=$work/log/unit runner=$work/runner status=0

	step 'core under valgrind'
	write_runner "$runner"
	run "$log" make -s -C "$work/gcc/test/unit" -j "$(nproc)" check CC=gcc \
		CFLAGS='-O1 -g -DOWN_MALLOC=0' RUNNER="$runner" \
		WITHOUT='walk_model walk_range' || status=$?
	tally cmocka "$log" "$status" || show_end "$log" 30
}

# valgrind_server: has the server run under valgrind, but for what only makes a
# cluster.  Its sessions are forked from it, so they do as well; what they
# start, such as a shell, does not.  A backend ends without freeing anything.
valgrind_server()
{
	mv "$bindir/postgres" "$bindir/postgres.real" &&
		cp "$top/test/valgrind.supp" "$work/" || return 1
	cat >"$bindir/postgres" <<-END
		#!/bin/bash
		case \${1:-} in
			--boot | --single | --version | -V | -C)
				exec '$bindir/postgres.real' "\$@"
				;;
		esac
		exec $valgrind --leak-check=no --suppressions='$work/valgrind.supp' \\
			--log-file='$reports/server.%p' '$bindir/postgres.real' "\$@"
	END
	chmod 755 "$bindir/postgres"
}

test_valgrind()
{
	step_limit=3600
	reports=$work/reports
	mkdir "$reports" && give_away "$reports"
	valgrind_core
	build_for_checked || return
	valgrind_server || die 'the server cannot be put under valgrind'
	# a list is read so slowly that notices tell how far it has been read
	export PGOPTIONS='-c nclue_fdw.progress_interval=0'
	test_regress
	test_tap
	count_reports
}
