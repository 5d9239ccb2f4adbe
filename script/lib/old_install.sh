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

# build_old_install MAJOR: as /tmp/old, in the root of MAJOR.
build_old_install()
{
	work=/tmp/build
	mkdir -m 755 "$work" && cp -a /tmp/source "$work/" && give_away "$work" &&
		private_postgres "$1" /tmp/old && give_away /tmp/old &&
		as_user make -s -C "$work/source" PG_CONFIG="$pg_config" \
			-j "$(nproc)" install &&
		make_movable "${bindir%/bin}"
}

# get_old_install MAJOR TMP LOG: TMP/old is one, made from TMP/source; 1 if there
# can be none, having said why.
get_old_install()
{
	local root

	get_root "$1" "$2" || return 1
	step "PostgreSQL $1 as the old installation"
	# shellcheck disable=SC2016 # expanded by the inner shell
	enter_root ro "$root" "$2" bash -c '
		for name in say packages work old_install; do
			. "/tmp/source/script/lib/$name.sh"
		done
		clean_environment
		build_old_install "$1"' build_old_install "$1" >"$3" 2>&1 && return
	show_end "$3"
	return 1
}
