# Roots of other Debian releases, to test with their PostgreSQL.
# Sourced by bash, after say.sh, packages.sh, work.sh and count.sh.
#
# A root is made once and kept.  What runs in it sees it read-only, but for
# /tmp, which is thrown away: so every run meets the root as it was made.

# suite_of MAJOR: the Debian release that has this PostgreSQL.
suite_of()
{
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo forky ;;
		19) echo sid ;;
		*) return 1 ;;
	esac
}

# debian_mirror: the archive this machine uses itself, where debootstrap can
# read it too.
debian_mirror()
{
	local mirror

	# shellcheck disable=SC2016 # apt's variables, not ours
	mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		sed -nE 's#^Debian ((https?|file):/.*[^/])/*$#\1#p' |
		head -n 1)
	echo "${mirror:-http://deb.debian.org/debian}"
}

# enter_root ro|rw ROOT TMP COMMAND...: runs it in ROOT, with TMP as its /tmp.
# In name spaces of its own: mounts and processes end with the command,
# however that ends.  Not by chroot, where the kernel lets nobody make user
# name spaces, and tests need them.
enter_root()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --pid --fork --kill-child --propagation private \
		bash -c '
			mode=$1 root=$2 tmp=$3
			shift 3
			mount --bind "$root" "$root" &&
				{ [ "$mode" = rw ] || mount -o remount,ro,bind "$root"; } &&
				mount --bind "$tmp" "$root/tmp" &&
				mount --rbind /dev "$root/dev" &&
				mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" &&
				mount -t proc proc "$root/proc" || exit 1
			cd "$root" && pivot_root . . && umount -l . && cd / || exit 1
			exec env -i HOME=/root TERM="${TERM:-dumb}" \
				PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
				${http_proxy:+http_proxy="$http_proxy"} \
				${https_proxy:+https_proxy="$https_proxy"} \
				${no_proxy:+no_proxy="$no_proxy"} \
				"$@"' enter_root "$@"
}

# may_enter_roots: whether this machine lets us; where not, says why.
may_enter_roots()
{
	if [ "$(id -u)" -ne 0 ]; then
		detail 'making a root needs to be root'
		return 1
	fi
	if ! unshare --mount --pid --fork true 2>/dev/null; then
		detail 'this machine does not let us have name spaces (unshare)'
		return 1
	fi
}

# configure_root MAJOR MIRROR ROOT: apt in it fetches as apt here does.
configure_root()
{
	local suite apt=$3/etc/apt

	suite=$(suite_of "$1")
	echo "deb $2 $suite main" >"$apt/sources.list"
	apt-config dump | grep '^Acquire::' |
		grep -v -e IndexTargets -e Changelogs -e CompressionTypes -e cdrom \
			>"$apt/apt.conf.d/00host"
	cp -a /etc/apt/auth.conf "$apt/" 2>/dev/null
	cp -a /etc/apt/auth.conf.d/. "$apt/auth.conf.d/" 2>/dev/null
	echo force-unsafe-io >"$3/etc/dpkg/dpkg.cfg.d/unsafe-io"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$3/etc/hosts"
	[ "$1" -eq 19 ] || return 0
	echo "deb $2 experimental main" >>"$apt/sources.list"
	cat >"$apt/preferences.d/postgresql" <<-END
		Package: src:postgresql-$1
		Pin: release a=experimental
		Pin-Priority: 600
	END
}

# make_bare_root MAJOR DIR LOG.  A debootstrap older than the release has no
# script of its name; sid's makes it.
make_bare_root()
{
	local suite mirror proxy script=''

	suite=$(suite_of "$1")
	mirror=$(debian_mirror)
	if ! command -v debootstrap >/dev/null; then
		step 'installing debootstrap'
		patiently "$3" apt update || return 1
		patiently "$3" apt install --no-install-recommends debootstrap ||
			return 1
	fi
	[ -e "/usr/share/debootstrap/scripts/$suite" ] ||
		script=/usr/share/debootstrap/scripts/sid
	proxy=${http_proxy:-$(apt-config dump |
		sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p')}

	step "making a root of Debian $suite from $mirror"
	# debootstrap mounts /proc there, and may be interrupted.
	patiently "$3" unshare --mount --propagation private \
		env ${proxy:+http_proxy="$proxy"} \
		debootstrap --variant=minbase "$suite" "$2" "$mirror" $script &&
		configure_root "$1" "$mirror" "$2"
}

# install_in_root MAJOR ROOT TMP: the packages.
install_in_root()
{
	cp -L /etc/resolv.conf "$2/etc/resolv.conf"
	# shellcheck disable=SC2016 # expanded by the inner shell
	enter_root rw "$2" "$3" bash -c '
		. /tmp/source/script/lib/say.sh
		. /tmp/source/script/lib/packages.sh
		SECONDS=$2
		install_packages "$1" tests && apt-get -q clean' \
		install_in_root "$1" "$SECONDS"
}

# root_is_made MAJOR ROOT: with the packages that are needed now.
root_is_made()
{
	needed_packages "$1" tests | cmp -s - "$2/packages"
}

# make_root MAJOR ROOT TMP.  What bears the name ROOT is complete.
make_root()
{
	rm -rf "$2" "$2.new"
	make_bare_root "$1" "$2.new" "$work/log" &&
		install_in_root "$1" "$2.new" "$3" &&
		needed_packages "$1" tests >"$2.new/packages" &&
		mv -T "$2.new" "$2"
}

# get_root MAJOR TMP: sets root; 1 if there can be none, having said why.
# The lock keeps a root from being made twice at a time, and from being made
# anew while somebody is in it; this process is in it until it ends.
get_root()
{
	local cache=${NCLUE_ROOTS:-/var/cache/nclue_fdw} status=0

	root=$cache/postgresql-$1
	may_enter_roots || return 1
	if ! mkdir -p "$cache" || ! : >>"$root.lock"; then
		detail "cannot write to $cache"
		return 1
	fi
	exec 9>>"$root.lock"
	flock -s 9
	root_is_made "$1" "$root" && return
	flock 9
	root_is_made "$1" "$root" || make_root "$1" "$root" "$2" || status=$?
	flock -s 9
	return "$status"
}

# test_in_root MAJOR [OPTION...]: script/test, there.
test_in_root()
{
	local log options=("${@:2}")

	step "PostgreSQL $1 in a root of Debian $(suite_of "$1")"
	open_work
	log=$work/run
	mkdir -m 1777 "$work/tmp"
	copy_source "$top" "$work/tmp/source" || die 'the source cannot be copied'
	if [ "${2:-}" = --pg-upgrade ]; then
		options=(--pg-upgrade "/tmp/old/usr/lib/postgresql/$3")
		get_old_install "$3" "$work/tmp" "$work/log"
	fi && get_root "$1" "$work/tmp" || {
		step "skipped: no root for PostgreSQL $1 can be made"
		count 0 0 1
		return
	}
	enter_root ro "$root" "$work/tmp" /tmp/source/script/test "${options[@]}" 2>&1 |
		tee "$log"
	if ! count_closing_line "$log"; then
		detail 'the run ended without its closing line'
		count 0 1 0
	fi
}
