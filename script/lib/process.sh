# Servers that outlive the script that started them.
# Sourced by bash, after say.sh.
#
# A process id alone may be somebody else's by the time it is used: with the
# time at which the process began it is not.

# began PID: when it did, in the kernel's ticks; empty where there is none, or
# only what is left of one until its parent asks (in a container, maybe never).
# The second field of "stat", the program's name, may hold anything.
began()
{
	sed -n -e 's/.*) //' -e '/^[^ZX]/p' "/proc/$1/stat" 2>/dev/null |
		cut -d ' ' -f 20
}

# note_pid FILE NAME PID
note_pid()
{
	echo "$2 $3 $(began "$3")" >>"$1"
}

# still_runs PID BEGAN
still_runs()
{
	[ -n "$2" ] && [ "$(began "$1")" = "$2" ]
}

# end_noted FILE: ends the processes noted in FILE, and waits for them.  For a
# PostgreSQL server INT is the quick and clean way.
end_noted()
{
	local name pid start tries status=0

	[ -e "$1" ] || return 0
	while read -r name pid start; do
		still_runs "$pid" "$start" || continue
		kill -s INT "$pid"
		for tries in {1..300}; do
			still_runs "$pid" "$start" || break
			[ "$tries" -ne 100 ] || kill -s TERM "$pid"
			sleep 0.1
		done
		if still_runs "$pid" "$start"; then
			warn "$name (process $pid) does not end"
			status=1
		fi
	done <"$1"
	return "$status"
}
