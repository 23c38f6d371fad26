# Sourced by the scripts here with BUILD_DIRECTORY and SOURCES as $build and $sources: installs into a prefix of its own, $prefix, that lives
# as long as the script; pkg-config finds it, and $libdir is where its libraries are.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR="$work/root" meson install -C "$build" --no-rebuild --quiet >"$work/install.log" 2>&1 || {
	cat "$work/install.log"
	exit 1
}
pc=$(find "$work/root" -name libclcowmig.pc)
[ -n "$pc" ] || {
	echo 'libclcowmig.pc was not installed'
	exit 1
}
prefix=$work/root$(sed -n 's/^prefix=//p' "$pc")
sed -i "s|^prefix=.*|prefix=$prefix|" "$pc"
libdir=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

# A sanitized library wants a sanitized program.
extra=
if nm -D "$libdir"/libclcowmig.so 2>/dev/null | grep -q __asan; then
	extra=-fsanitize=address,undefined
fi

# quietly STEP COMMAND…: prints what the command said only when it fails.
quietly() {
	step=$1
	shift
	"$@" >"$work/log" 2>&1 || {
		cat "$work/log"
		echo "$step: failed"
		exit 1
	}
}

# says_ok WHO PROGRAM…: the program runs and says so.
says_ok() {
	who=$1
	shift
	LD_LIBRARY_PATH="$libdir" "$@" >"$work/output" || {
		cat "$work/output"
		echo "$who: does not run"
		exit 1
	}
	grep -q '^consumer: ok' "$work/output" || {
		echo "$who: says"
		cat "$work/output"
		exit 1
	}
	echo "$who: ok"
}
