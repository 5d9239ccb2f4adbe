# An installation of an older PostgreSQL, with the extension, that runs under
# a newer Debian release: what pg_upgrade needs beside the new one.
# Sourced by bash, after say.sh, packages.sh, work.sh, count.sh and root.sh.

# wrap_program FILE LIBRARIES: FILE runs with its own release's libraries, which
# are not those of the release around it.  The wrapper is told where it is by
# its own path, so the whole may be moved.
wrap_program()
{
	mv "$1" "$1.bin"
	cat >"$1" <<-END
		#!/bin/sh
		here=\${0%/*}
		exec "\$here/$2/ld-linux" --library-path "\$here/$2" \\
			--argv0 "\$0" "\$here/${1##*/}.bin" "\$@"
	END
	chmod 755 "$1"
}

# make_movable DIR: DIR/bin and DIR/lib are PostgreSQL's.
make_movable()
{
	local file interpreter

	mkdir "$1/own" || return 1
	# Just-in-time compilation would bring all of LLVM with it.
	rm -f "$1"/lib/llvmjit.so
	find "$1/bin" "$1/lib" -type f \( -perm -u+x -o -name '*.so' \) \
		-exec ldd {} + 2>/dev/null |
		sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
		xargs cp -L -t "$1/own" || return 1
	interpreter=$(ldd "$1/bin/postgres" |
		sed -n 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p')
	cp -L "$interpreter" "$1/own/ld-linux" || return 1
	for file in "$1"/bin/*; do
		[ "$(head -c 4 "$file")" != $'\177ELF' ] ||
			wrap_program "$file" ../own || return 1
	done
}

# build_old_install MAJOR DIR: in the root of MAJOR.
build_old_install()
{
	work=/tmp
	clean_environment
	give_away /tmp/source
	private_postgres "$1" "$2" && give_away "$2" &&
		as_user make -s -C /tmp/source PG_CONFIG="$pg_config" \
			-j "$(nproc)" install >/tmp/log 2>&1 &&
		make_movable "${bindir%/bin}"
}

# get_old_install MAJOR TMP: TMP/old is one; sets old_install to its directory as
# seen by who has TMP as /tmp; 1 if there is none, having said why.
get_old_install()
{
	local root

	old_install=/tmp/old/usr/lib/postgresql/$1
	mkdir -p "$2"
	chmod 1777 "$2"
	copy_source "$top" "$2/source" || die 'the source cannot be copied'
	get_root "$1" "$2" || return 1
	step "PostgreSQL $1 as the old installation"
	# shellcheck disable=SC2016 # expanded by the inner shell
	enter_root ro "$root" "$2" bash -c '
		for name in say packages work old_install; do
			. "/tmp/source/script/lib/$name.sh"
		done
		build_old_install "$1" /tmp/old' build_old_install "$1" && return
	detail "the extension cannot be built for PostgreSQL $1"
	show_end "$2/log"
	return 1
}
