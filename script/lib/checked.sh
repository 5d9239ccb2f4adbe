# A PostgreSQL that checks itself: built from Debian's source with assertions,
# so that it looks after every block of a memory context and overwrites what is
# freed, and with valgrind told what belongs to whom.
# Sourced by bash, after say.sh, work.sh and root.sh.

# fetch_source MAJOR DIR: the newest that this machine's archive has, unpacked
# into DIR/source.  With lists of its own: the machine's configuration of apt
# need not name sources, and is left alone.
fetch_source()
{
	local dir=$2/apt version
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

# build_checked MAJOR DIR: into DIR/installed.  What the tests need, no more.
build_checked()
{
	local source=$2/source

	fetch_source "$1" "$2" &&
		as_user env -C "$source" ./configure -q --prefix="$2/installed" \
			--enable-cassert --enable-debug --enable-tap-tests --with-openssl \
			--with-icu --without-readline --without-zlib \
			CC=gcc CFLAGS='-O1 -g -fno-omit-frame-pointer' \
			CPPFLAGS=-DUSE_VALGRIND &&
		as_user make -s -C "$source" -j "$(nproc)" &&
		as_user make -s -C "$source" install
}

# checked_postgres MAJOR DIR: makes one in DIR; sets pg_config and bindir.  It
# is built once and kept beside the roots: programs find everything relative to
# where they are.
checked_postgres()
{
	local kept=${NCLUE_ROOTS:-/var/cache/nclue_fdw}/checked-$1

	if [ ! -e "$kept" ]; then
		step "building a PostgreSQL $1 that checks itself"
		mkdir "$work/build" && give_away "$work/build" &&
			patiently "$work/log/checked" build_checked "$1" "$work/build" &&
			mkdir -p "${kept%/*}" &&
			cp -a "$work/build/installed" "$kept.$$" &&
			mv -T "$kept.$$" "$kept" || return 1
		rm -rf "$work/build"
	fi
	cp -a "$kept" "$2" && give_away "$2" || return 1
	bindir=$2/bin
	pg_config=$bindir/pg_config
	"$pg_config" --version >/dev/null
}

# build_for_checked: the extension for it, and both where they belong; 1 if
# there is none, having counted that.
build_for_checked()
{
	local log=$work/log/build

	if ! checked_postgres "$major" "$work/checked"; then
		step "skipped: no PostgreSQL $major can be built from source"
		count 0 0 1
		return 1
	fi
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
