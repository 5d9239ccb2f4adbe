# The Debian packages the project needs: which, and getting them.
# Sourced by bash, after say.sh.

# The major version to build for when nobody asks for one: that of PG_CONFIG,
# else the newest whose server headers are installed, else the one this Debian
# release has.
default_major()
{
	local found

	if [ -n "${PG_CONFIG:-}" ]; then
		"$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/'
		return
	fi
	found=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 5 \
		-path '*/pgxs/src/makefiles' 2>/dev/null |
		sed 's,^/usr/lib/postgresql/\([0-9]*\)/.*,\1,' | sort -n | tail -n 1)
	if [ -z "$found" ]; then
		found=$(apt-cache depends postgresql 2>/dev/null |
			sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | tail -n 1)
	fi
	printf '%s\n' "$found"
}

# needed_packages MAJOR [tests [MODE]]: to build and run; with "tests", to test
# too; and what a mode of script/test, or script/lint, takes besides.
needed_packages()
{
	echo "postgresql-$1" "postgresql-server-dev-$1" gcc make libc6-dev \
		libcurl4-openssl-dev libssl-dev libjansson-dev ca-certificates \
		python3 openssl
	[ "${2:-}" != tests ] ||
		echo clang libclang-rt-dev libcmocka-dev libipc-run-perl nginx sqlsmith
	case ${3:-} in
		lint) echo clang-tidy cppcheck shellcheck ;;
		sanitize) echo llvm ;;
		assertions | valgrind)
			echo bison bzip2 flex libicu-dev perl pkg-config valgrind
			;;
	esac
}

# missing_packages MAJOR [tests [MODE]]
missing_packages()
{
	local package missing=

	for package in $(needed_packages "$@"); do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
			'install ok installed') ;;
			*) missing="$missing $package" ;;
		esac
	done
	echo "${missing# }"
}

# apt COMMAND...: waits for whoever else installs at the moment.
apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Options::=--force-confold -o Acquire::Retries=3 "$@"
}

# Debian's server package makes and starts a cluster when it is installed.
# Where PostgreSQL was never installed nobody asked for one, so it is told not
# to; a machine that has PostgreSQL keeps its administrator's configuration.
forbid_main_cluster()
{
	local conf=/etc/postgresql-common/createcluster.conf

	if [ -e "$conf" ] || dpkg-query -W postgresql-common >/dev/null 2>&1; then
		return 0
	fi
	mkdir -p /etc/postgresql-common
	cat >"$conf" <<-END
		# Written by nclue_fdw's scripts before they installed PostgreSQL for
		# building: no "main" cluster is made.  Delete the next line to have
		# the PostgreSQL packages make one.
		create_main_cluster = false
	END
}

# without_services COMMAND...: no service of a package that it installs starts.
without_services()
(
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	"$@"
)

# install_missing LOG PACKAGE...: nor is any of them to start with the machine.
install_missing()
{
	local log=$1

	shift
	step "installing $# packages:"
	detail "$*"
	forbid_main_cluster
	without_services \
		patiently "$log" apt install --no-install-recommends "$@" || return 1
	case " $* " in
		*' nginx '*) update-rc.d nginx disable >>"$log" 2>&1 ;;
	esac
	step 'packages installed'
}

# install_packages MAJOR [tests [MODE]]: installs what is missing; sets major, to the
# default where MAJOR is empty.  Needs root only where something is missing.
install_packages()
{
	local missing=unknown log

	command -v apt-get >/dev/null ||
		die 'this script needs Debian (apt-get is not here)'
	[ -e /proc/self/stat ] ||
		die 'this script needs /proc: mount -t proc proc /proc'

	major=${1:-$(default_major)}
	[ -z "$major" ] || missing=$(missing_packages "$major" "${@:2}")
	if [ -z "$missing" ]; then
		step "packages for PostgreSQL $major: all there"
		return
	fi
	[ "$(id -u)" -eq 0 ] ||
		die 'packages are missing; install them as root, or run this as root:' \
			"apt-get install $missing"

	log=$(mktemp) || die 'no temporary file can be made'
	step 'package lists: apt-get update'
	patiently "$log" apt update || die 'apt-get update failed'
	: "${major:=$(default_major)}"
	[ -n "$major" ] || die 'this system offers no PostgreSQL package'
	missing=$(missing_packages "$major" "${@:2}")
	# shellcheck disable=SC2086 # a list of words
	install_missing "$log" $missing || die 'apt-get install failed'
	rm -f "$log"
}
