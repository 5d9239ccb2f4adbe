# Static analysis.  Sourced by bash, after say.sh, work.sh and count.sh; needs
# pg_config, and the directory "work".
#
# What a tool looks for stands beside the source: in .clang-tidy, .cppcheck and,
# in shell scripts, comments.  Each tool on each part of the source is a test.
# The compilers' own warnings are the builds'.

# In seconds; the slowest takes twenty.
lint_limit=600

# lint WHAT TREE COMMAND...: a command that must find nothing, in a tree.
lint()
{
	local what=$1 tree=$2 log status=0

	shift 2
	log=$work/lint.log
	as_user timeout -k 10 "$lint_limit" env -C "$tree" "$@" \
		>"$log" 2>&1 </dev/null || status=$?
	if [ "$status" -eq 0 ]; then
		count 1 0 0
		return
	fi
	count 0 1 0
	detail "$what: findings (status $status)"
	# clang-tidy counts what it does not show
	grep -v 'warnings\? generated\.$' "$log" >"$log.shown"
	show_start "$log.shown"
}

# lint_each WHAT TREE FILES COMMAND...: the same for each of some files, several
# at a time; the file follows the command's first word.
lint_each()
{
	local what=$1 tree=$2 files=$3

	shift 3
	# shellcheck disable=SC2016 # expanded by the inner shell
	lint "$what" "$tree" bash -c '
		files=$1 tool=$2
		shift 2
		printf "%s\0" $files |
			xargs -0 -P "$(nproc)" -I {} "$tool" {} "$@"' \
		lint_each "$files" "$@"
}

# The compiler's arguments for the two sides of the source, and the files of
# each.  PostgreSQL's headers are system headers: not ours to mend.
lint_compiled()
{
	local what=$1 tree=$2

	shift 2
	lint_each "$what, src/core" "$tree" 'src/core/*.c' "$@" -std=c99
	lint_each "$what, src" "$tree" 'nclue_fdw.c src/*.c' "$@" -std=gnu99 \
		-D_GNU_SOURCE -isystem "$("$pg_config" --includedir-server)"
}

# One process for each file: cppcheck's own -j does not help.
lint_cppcheck()
{
	lint_each "cppcheck, $1" "$2" "$3" cppcheck --quiet --error-exitcode=1 \
		--enable=warning,performance,portability \
		--suppressions-list=.cppcheck --std=c99 --platform=unix64 \
		--max-configs=1 -D__GNUC__=12 -D__x86_64__ -D__STDC_VERSION__=199901L \
		"-DLIBCURL_VERSION_NUM=0x$(curl-config --vernum)" \
		"-I$("$pg_config" --includedir-server)" -Isrc/core
}

# The shell scripts of a tree; what they source is checked with them.
lint_scripts()
{
	(cd "$1" && find . -type f -not -path '*/build/*' -exec awk '
		FNR == 1 && /^#!.*\/(ba)?sh( |$)/ { print FILENAME }
		{ nextfile }' {} +)
}

# test_lint TREE
test_lint()
{
	local scripts

	step 'static analysis: clang-tidy'
	lint_compiled clang-tidy "$1" clang-tidy --quiet --
	step 'static analysis: gcc -fanalyzer'
	lint_compiled 'gcc -fanalyzer' "$1" gcc -O2 -Wall -Wextra -Werror \
		-fanalyzer -c -o /dev/null
	step 'static analysis: cppcheck'
	lint_cppcheck src "$1" 'nclue_fdw.c src/*.c src/core/*.c'
	lint_cppcheck test/unit "$1" 'test/unit/*.c'
	step 'static analysis: shellcheck'
	mapfile -t scripts < <(lint_scripts "$1")
	lint shellcheck "$1" shellcheck -x "${scripts[@]}"
}
