# What the scripts say: a line per step with the time since the start.
# Sourced by bash.

# A step begins.
step()
{
	printf '[%4ds] %s\n' "$SECONDS" "$*"
}

# More about the step that runs.
detail()
{
	printf '        %s\n' "$@"
}

warn()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	warn "$@"
	exit 1
}

# show_end FILE [LINES]: the end of a log, marked as quoted, lines clipped.
show_end()
{
	[ -s "$1" ] || return 0
	detail "--- end of ${1##*/}:"
	tail -n "${2:-40}" "$1" | cut -c 1-300 | sed 's/^/        | /'
}

# show_start FILE [LINES]: the same of a file whose start matters.
show_start()
{
	[ -s "$1" ] || return 0
	detail "--- ${1##*/}:"
	head -n "${2:-120}" "$1" | cut -c 1-300 | sed 's/^/        | /'
	if [ "$(wc -l <"$1")" -gt "${2:-120}" ]; then
		detail '| ... (cut)'
	fi
}

# heartbeat LOG: every twenty seconds the log's last line, while the script
# lives.  Only the sleep may outlive it, and holds no output open.
heartbeat()
{
	local start=$SECONDS

	while sleep 20 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		detail "$((SECONDS - start)) s: $(tail -n 1 "$1" | cut -c 1-100)"
	done
}

# patiently LOG COMMAND...: runs a command that may take minutes with its
# output in LOG, and shows that it is alive.  Returns its status; on failure
# shows the log's end.
patiently()
{
	local log=$1 pid status=0

	shift
	: >"$log"
	heartbeat "$log" &
	pid=$!
	"$@" >"$log" 2>&1 </dev/null || status=$?
	kill "$pid" && wait "$pid" 2>/dev/null
	if [ "$status" -ne 0 ]; then
		warn "failed (status $status): $*"
		show_end "$log" 30 >&2
	fi
	return "$status"
}
