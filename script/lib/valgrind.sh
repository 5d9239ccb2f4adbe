# Memory errors found by valgrind, in the extension and in what it gives to
# PostgreSQL, with a PostgreSQL that tells valgrind of its memory contexts.
# Sourced by bash, after checked.sh and the functions of script/test.

# What the valgrind of one program is told.  A file is written only where there
# is something to report.  Only leaks count as such, not what is still
# reachable: libraries keep that to the end.
valgrind_options="-q --vgdb=no --num-callers=30
	--suppressions=$top/test/valgrind.supp"

# valgrind_server: has the server run under valgrind, but for what only makes a
# cluster.  Its sessions are forked from it, so they do as well; what they
# start, such as the shell, does not.  A backend ends without freeing anything.
valgrind_server()
{
	mv "$bindir/postgres" "$bindir/postgres.real" || return 1
	cat >"$bindir/postgres" <<-END
		#!/bin/bash
		case \${1:-} in
			--boot | --single | --version | -V | -C)
				exec '$bindir/postgres.real' "\$@"
				;;
		esac
		exec valgrind $(echo $valgrind_options) --leak-check=no \\
			--log-file='$reports/valgrind.%p' '$bindir/postgres.real' "\$@"
	END
	chmod 755 "$bindir/postgres"
}
