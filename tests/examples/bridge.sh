#!/bin/sh
# The bridge without a sandbox: bridge.sh PROGRAM. Fails with one line that says what was missing.
set -u
bridge=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
	cat "$log"
	echo "FAILED: $*"
	exit 1
}

# run WANTED ARGUMENT…: the exit code must be WANTED.
run() {
	wanted=$1
	shift
	"$bridge" "$@" >"$log" 2>&1
	code=$?
	[ "$code" = "$wanted" ] || fail "exit code $code, not $wanted"
}

says() {
	grep -q -e "$1" "$log" || fail "does not say: $1"
}

says_not() {
	! grep -q -e "$1" "$log" || fail "says: $1"
}

story() {
	says '^connected to a linux guest, protocol 4, schema 2.1, takes signals$'
	says '^the utility VM says hello$'
	says '^the container says hello$'
	says '^process [0-9]* has ended with 0$'
	says '^properties: .*"ProcessList":\[{"ProcessId":'
	says "^the container's init process has ended with 143$"
	says '^notification: container web, GracefulExit$'
	says '^signalling it again: E_GUEST_FAILED, HRESULT 0xc0370110: the process has exited$'
	says '^guest log: .*created container web'
	says '^disconnected: '
	says '^shutting down: E_UNAVAILABLE$'
	says '^the guest is off$'
}

run 0
story
says_not '^[<>=] '
run 0 --record
story
says '^= negotiated version 4$'
says '^> Create id=[0-9]* size=[0-9]* {.*TOKEN=\*\*\*'
says '^< notification id=0 '
says 'PASSWORD=\*\*\*'
says_not 'swordfish'
says_not 'open-sesame'
run 0 --record --secrets
story
says '^> Create id=.*TOKEN=swordfish'
run 2 --nonsense
says 'usage: lcowmig-bridge'
