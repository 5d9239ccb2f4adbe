# Counting tests.  Sourced by bash, after say.sh.
#
# What counts as one: a cmocka test, a unittest test, a pg_regress file, a
# top-level TAP test point, and each build that must be free of warnings.

passed=0
failed=0
skipped=0

# count PASSED FAILED SKIPPED
count()
{
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

# Each reads a log on its standard input and prints "passed failed skipped".

tally_cmocka()
{
	awk '
		/^\[  PASSED  \] [0-9]+ test/ { p += $4 }
		/^\[  (FAILED  |SKIPPED )\] .*test\(s\), listed below:/ {
			for (i = 1; i < NF; i++)
				if ($i ~ /^[0-9]+$/ && $(i + 1) ~ /^test/)
					n[$2] += $i
		}
		END { print p + 0, n["FAILED"] + 0, n["SKIPPED"] + 0 }'
}

tally_unittest()
{
	awk '
		function number(word)
		{
			if (match($0, "[( ]" word "=[0-9]+") == 0)
				return 0
			return substr($0, RSTART + length(word) + 2) + 0
		}
		/^Ran [0-9]+ tests? in / { ran += $2 }
		/^(OK|FAILED)( \(.*\))?$/ {
			f += number("failures") + number("errors")
			f += number("unexpected successes")
			s += number("skipped")
		}
		END { p = ran - f - s; print (p > 0 ? p : 0), f + 0, s + 0 }'
}

# PostgreSQL 15 writes "test name ... ok", later ones TAP.
tally_regress()
{
	awk '
		/ \.\.\. ok( |$)/ || /^ok [0-9]+ +[-+] / { p++ }
		/ \.\.\. FAILED/ || /^not ok [0-9]+ +[-+] / { f++ }
		END { print p + 0, f + 0, 0 }'
}

# As prove --verbose shows them.  A test point marked TODO may fail; a file may
# be skipped as a whole.
tally_tap()
{
	awk '
		/^t\/.*\.pl \.+ skipped/ { s++ }
		/^(not )?ok [0-9]+/ {
			if ($0 ~ / # [Ss][Kk][Ii][Pp]/)
				s++
			else if ($1 == "ok" || $0 ~ / # TODO/)
				p++
			else
				f++
		}
		END { print p + 0, f + 0, s + 0 }'
}

# tally FORMAT LOG STATUS: counts a log's tests, says how many, and returns 1
# if any failed.  A program that died has no line of its own in its log, and
# one that ran nothing has proved nothing: each is a failure.
tally()
{
	local p f s

	read -r p f s < <("tally_$1" <"$2")
	[ -n "$s" ] || die "cannot count the tests in $2"
	if [ "$3" -eq 124 ]; then
		detail "took longer than $step_limit seconds: ended"
	fi
	if [ "$3" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
	elif [ $((p + f + s)) -eq 0 ]; then
		detail 'no test ran'
		f=1
	fi
	count "$p" "$f" "$s"
	detail "$p passed, $f failed, $s skipped"
	count_reports || f=1
	[ "$f" -eq 0 ]
}

# Where tools that look for memory errors write: a file for each process that
# has something to report.  Empty where no such tool is at work.
reports=

# count_reports: what has been reported since the last call, each file a failed
# test; 1 if there was any.
count_reports()
{
	local file status=0

	[ -n "$reports" ] || return 0
	for file in "$reports"/*; do
		if [ -s "$file" ]; then
			status=1
			count 0 1 0
			detail "failed: a report of ${file##*/}"
			show_start "$file" 60
		fi
		rm -f "$file"
	done
	return "$status"
}

# The closing line, always the last; its status is the script's.
closing_line()
{
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
}

# count_closing_line LOG: adds the closing line that another run ended with.
count_closing_line()
{
	local line

	line=$(tail -n 1 "$1" |
		sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	[ -n "$line" ] || return 1
	# shellcheck disable=SC2086 # three numbers
	count $line
}
