# Throw-away clusters, reached through a socket in their own directory only.
# Sourced by bash, after work.sh and private_postgres.

# start_cluster DIR [SETTING...]: makes and starts one; its socket is in DIR, its
# superuser is postgres, and whoever may enter DIR may connect.
start_cluster()
{
	local dir=$1

	shift
	mkdir -p "$dir" && chmod 700 "$dir" && give_away "$dir" || return 1
	as_user "$bindir/initdb" -D "$dir/data" -U postgres -A trust \
		-E UTF8 --locale=C.UTF-8 -N >"$dir/initdb.log" 2>&1 </dev/null || {
		show_end "$dir/initdb.log"
		return 1
	}
	cat >>"$dir/data/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$dir'
		port = 5432
		fsync = off
		timezone = 'UTC'
	END
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$dir/data/postgresql.conf"
	as_user "$bindir/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 \
		start >"$dir/start.log" 2>&1 </dev/null || {
		show_end "$dir/start.log"
		show_end "$dir/server.log"
		return 1
	}
}

# stop_cluster DIR
stop_cluster()
{
	as_user "$bindir/pg_ctl" -D "$1/data" -m fast -w -t 60 stop \
		>>"$1/start.log" 2>&1 </dev/null
}
