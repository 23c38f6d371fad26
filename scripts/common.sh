# Shared by the scripts in this folder: where the tree is, and installing what is missing. Sourced, not run.

root=$(cd "$(dirname "$0")/.." && pwd)

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "$(basename "$0"): $*"
	exit 1
}

# need_packages PACKAGE…: installs the Debian packages that are not there yet, and says what to do where it cannot.
need_packages() {
	missing=
	for package in "$@"; do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
		*' installed') ;;
		*) missing="$missing $package" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null 2>&1 || die "these Debian packages are missing, and there is no apt-get:$missing"
	as_root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null 2>&1 || die "these packages are missing; as root, run: apt-get install$missing"
		as_root=sudo
	fi
	say "installing:$missing"
	log=$(mktemp)
	# shellcheck disable=SC2086
	if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } \
		>"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die "could not install:$missing"
	fi
	rm -f "$log"
}

build_packages='gcc libc6-dev meson ninja-build pkg-config libnanopb-dev nanopb libcjson-dev protobuf-compiler'

# setup_build DIRECTORY [MESON OPTION…]: configures once, again when the options have changed.
setup_build() {
	directory=$1
	shift
	if [ -f "$directory/build.ninja" ] && [ "$(cat "$directory/.options" 2>/dev/null)" = "$*" ]; then
		return 0
	fi
	rm -rf "$directory"
	log=$(mktemp)
	if ! meson setup "$directory" "$root" "$@" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		rm -f "$log"
		die "meson could not configure $directory"
	fi
	rm -f "$log"
	printf '%s' "$*" >"$directory/.options"
}
