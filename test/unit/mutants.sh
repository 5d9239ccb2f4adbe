#!/bin/sh
# Takes each rule of src/core/walk.c and limiter.c away in turn (files mutants and
# mutants_limiter) and fails where the tests do not notice, or where there is no
# such rule any more.  Of the walk first test_walk_range is asked, then
# test_walk_model, then test_walk; of the limiter test_limiter_model and
# test_limiter.
#
#	test/unit/mutants.sh [name...]		BUILD: where to build
#
# All of them take about ten minutes.
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/build}/mutants
core=$here/../../src/core
survived=0
tab=$(printf '\t')

compile()
{
	${CC:-cc} -std=c99 -O2 -I"$core" "$@"
}

# Whether a test fails, or does not end, with the mutant.
notices()
{
	test=$1
	shift
	compile -o "$build/$test" "$build/$file.o" "$build/uri.o" \
		"$build/$test.o" "$@" -lcmocka || exit 1
	! timeout 300 "$build/$test" >"$build/$name.log" 2>&1
}

mkdir -p "$build" || exit 1
compile -c -o "$build/uri.o" "$core/uri.c" || exit 1
for file in model model_range churn test_walk_range test_walk_model test_walk \
	test_limiter_model test_limiter
do
	compile -c -o "$build/$file.o" "$here/$file.c" || exit 1
done

# mutate FILE MUTANTS [name...]
mutate()
{
	file=$1
	mutants=$2
	shift 2
	while IFS="$tab" read -r name script
	do
		case $name in '' | '#'*) continue ;; esac
		case " $* " in '  ' | *" $name "*) ;; *) continue ;; esac
		# tabs between name and script are for the eye
		script=${script#"${script%%[!"$tab"]*}"}
		sed "$script" "$core/$file.c" >"$build/$file.c" || exit 1
		if cmp -s "$build/$file.c" "$core/$file.c"
		then
			echo "$name: no longer applies"
			survived=1
		elif ! compile -c -o "$build/$file.o" "$build/$file.c"
		then
			echo "$name: does not compile"
			survived=1
		else
			case $file in
				walk) ask_walk ;;
				limiter) ask_limiter ;;
			esac
		fi
	done <"$here/$mutants"
}

# The facts that noticed, by name.
facts()
{
	echo "$name: noticed by$(sed -n \
		's/^\[  FAILED  \] \([a-z_0-9]*\)$/ \1/p' \
		"$build/$name.log" | sort -u | tr -d '\n')"
}

survives()
{
	echo "$name: SURVIVED"
	survived=1
}

ask_walk()
{
	if notices test_walk_range "$build/model.o" "$build/model_range.o"
	then
		echo "$name: noticed by ranges"
	elif notices test_walk_model "$build/model.o" "$build/model_range.o"
	then
		echo "$name: noticed by the model"
	elif notices test_walk "$build/churn.o"
	then
		facts
	else
		survives
	fi
}

ask_limiter()
{
	if notices test_limiter_model
	then
		echo "$name: noticed by the model"
	elif notices test_limiter
	then
		facts
	else
		survives
	fi
}

mutate limiter mutants_limiter "$@"
mutate walk mutants "$@"
exit $survived
