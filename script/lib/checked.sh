# A PostgreSQL that checks itself: built from Debian's source with assertions,
# so that it looks after every block of a memory context and overwrites what is
# freed, and with valgrind told what belongs to whom.
# Sourced by bash, after say.sh, work.sh and root.sh.

# fetch_source MAJOR DIR: makes DIR, and unpacks the newest source that this
# machine's archive has into DIR/source.  With lists of its own: the machine's
# configuration of apt need not name sources, and is left alone.
fetch_source()
{
	local dir=$2/apt
	local own=(env -C "$dir" apt-get -q -o Dir::State::lists="$dir/lists"
		-o Dir::Cache="$dir/cache" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::sourcelist="$dir/list" -o APT::Sandbox::User=)

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$2/source" &&
		echo "deb-src $(debian_mirror) $(suite_of "$1") main" >"$dir/list" &&
		give_away "$2" || return 1
	as_user "${own[@]}" -o Acquire::Retries=3 update &&
		as_user "${own[@]}" source --download-only "postgresql-$1" &&
		as_user tar -C "$2/source" --strip-components=1 -xf \
			"$dir"/postgresql-*.orig.tar.*
}

# build_checked DIR: of DIR/source into DIR/installed.  What the tests need, no
# more.
build_checked()
{
	local source=$1/source

	as_user env -C "$source" ./configure -q --prefix="$1/installed" \
		--enable-cassert --enable-debug --enable-tap-tests --with-openssl \
		--with-icu --without-readline --without-zlib \
		CC=gcc CFLAGS='-O1 -g -fno-omit-frame-pointer' \
		CPPFLAGS=-DUSE_VALGRIND &&
		as_user make -s -C "$source" -j "$(nproc)" &&
		as_user make -s -C "$source" install &&
		as_user make -s -C "$source/contrib/postgres_fdw" install &&
		declare -f build_checked >"$1/installed/recipe"
}

# keep FROM TO: for the next time.
keep()
{
	mkdir -p "${2%/*}" && cp -a "$1" "$2.$$" && rm -rf "$2" && mv -T "$2.$$" "$2"
}

# checked_postgres MAJOR DIR: makes one in DIR; sets pg_config and bindir.  It
# is built once and kept beside the roots, until it would be built otherwise:
# programs find everything relative to where they are.  Where it cannot be had,
# that is counted.
checked_postgres()
{
	local kept=${NCLUE_ROOTS:-/var/cache/nclue_fdw}/checked-$1 build=$work/build

	if declare -f build_checked | cmp -s - "$kept/recipe"; then
		cp -a "$kept" "$2" || return 1
	else
		step "a PostgreSQL $1 that checks itself: its source"
		if ! patiently "$work/log/source" fetch_source "$1" "$build"; then
			step 'skipped: the source cannot be had'
			count 0 0 1
			return 1
		fi
		step 'building it'
		if ! patiently "$work/log/checked" build_checked "$build"; then
			count 0 1 0
			return 1
		fi
		keep "$build/installed" "$kept" ||
			detail "it cannot be kept in ${kept%/*}"
		mv "$build/installed" "$2" && rm -rf "$build" || return 1
	fi
	give_away "$2"
	bindir=$2/bin
	pg_config=$bindir/pg_config
	"$pg_config" --version >/dev/null
}

# build_for_checked: the extension for it, and both where they belong.
build_for_checked()
{
	local log=$work/log/build

	checked_postgres "$major" "$work/checked" || return 1
	check_build "build for $("$pg_config" --version) with assertions" "$log" \
		make_in "$work/gcc" "$log" -j "$(nproc)" CC=gcc COPT=-O1 &&
		check_build 'make install' "$log" make_in "$work/gcc" "$log" install
}

test_assertions()
{
	step_limit=1800
	build_for_checked || return
	test_regress
	test_tap
}
