# A place to build and run in, away from the source tree and from the
# machine's PostgreSQL.  Sourced by bash, after say.sh.
#
# PostgreSQL refuses to run as root, so as root everything that builds or runs
# the project does so as user postgres, who owns the place.

# Settings of the caller's session must not reach the tests.
clean_environment()
{
	local name

	for name in "${!PG@}"; do
		[ "$name" = PG_CONFIG ] || unset "$name"
	done
	unset MAKEFLAGS MAKELEVEL MFLAGS CDPATH GREP_OPTIONS
	export LC_ALL=C.UTF-8
}

# as_user COMMAND...: in the directory "work", which is open to that user and
# takes what the command leaves behind.
as_user()
{
	local own=(env -C "$work" HOME="$work" TMPDIR="$work")

	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid postgres --regid postgres --init-groups \
			"${own[@]}" USER=postgres LOGNAME=postgres "$@"
	else
		"${own[@]}" "$@"
	fi
}

# give_away PATH...: to the user that runs servers.
give_away()
{
	[ "$(id -u)" -ne 0 ] || chown -R postgres:postgres "$@"
}

# copy_source FROM TO: everything but what .gitignore names, so that a tree
# with uncommitted changes, and one that is no checkout, are copied alike.
# tar's patterns lack git's anchors: a leading slash becomes "./".
copy_source()
{
	mkdir -p "$2" &&
		sed -e '/^#/d' -e '/^$/d' -e 's,/$,,' -e 's,^/,./,' \
			"$1/.gitignore" |
		tar -C "$1" --exclude=./.git -X - -cf - . |
		tar -C "$2" --no-same-owner -xf -
}

# private_postgres MAJOR DIR: a PostgreSQL in DIR with the extension's files to
# itself; sets pg_config and bindir.  The programs find everything relative to
# where they are, so copies of Debian's two directories and a link to the
# headers are a whole installation: neither the machine's PostgreSQL nor
# another run ever sees ours.
private_postgres()
{
	local own=${PG_CONFIG:-/usr/lib/postgresql/$1/bin/pg_config}
	local dir=$2 path

	"$own" --version >/dev/null || return 1
	for path in "$(dirname "$("$own" --bindir)")" "$("$own" --sharedir)"; do
		mkdir -p "$dir${path%/*}" && cp -a "$path" "$dir${path%/*}/" ||
			return 1
	done
	ln -s /usr/include "$dir/usr/include" || return 1
	bindir=$dir$("$own" --bindir)
	pg_config=$bindir/pg_config
	"$pg_config" --version >/dev/null
}

# pids_in DIR: processes whose working directory is inside DIR.  Servers change
# to their data directory, the stand-in and the tests run in the build tree.
pids_in()
{
	local cwd

	for cwd in /proc/[0-9]*/cwd; do
		case $(readlink "$cwd" 2>/dev/null) in
			"$1" | "$1"/* | "$1 (deleted)") cwd=${cwd#/proc/}
				echo "${cwd%/cwd}" ;;
		esac
	done
}

# end_all_in DIR: ends them, and waits until they are gone.
end_all_in()
{
	local pids signal tries

	for signal in TERM QUIT KILL; do
		for tries in 1 2 3 4 5 6 7 8 9 10; do
			pids=$(pids_in "$1")
			[ -n "$pids" ] || return 0
			# shellcheck disable=SC2086 # a list of words
			[ "$tries" -ne 1 ] || kill -s "$signal" $pids 2>/dev/null
			sleep 0.2
		done
	done
}

# open_work: makes the temporary directory "work"; it goes when the script ends.
open_work()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/nclue_fdw.XXXXXX") ||
		die 'no temporary directory can be made'
	trap close_work EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

close_work()
{
	local status=$?

	trap - EXIT
	cd / || true
	end_all_in "$work"
	if [ -n "${NCLUE_KEEP:-}" ]; then
		warn "kept: $work"
	else
		rm -rf "$work"
	fi
	exit "$status"
}
