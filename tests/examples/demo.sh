#!/bin/sh
# One case of the two-process demo: demo.sh PROGRAM CASE. Prints what the demo printed; fails with one line that says what was missing.
set -u
demo=$1
case=$2
work=$(mktemp -d)
log=$work/log
children=
trap 'for child in $children; do kill -9 "$child" 2>/dev/null; done; rm -rf "$work"' EXIT

fail() {
	cat "$log" "$work"/*.log 2>/dev/null
	echo "FAILED $case: $*"
	exit 1
}

# run WANTED ARGUMENT…: the demo's exit code must be WANTED.
run() {
	wanted=$1
	shift
	"$demo" "$@" >"$log" 2>&1
	code=$?
	[ "$code" = "$wanted" ] || fail "exit code $code, not $wanted"
}

says() {
	grep -q -e "$1" "$log" || fail "does not say: $1"
}

# A destination in the background; its port in $port.
listen() {
	"$demo" destination --listen 127.0.0.1:0 --port-file "$work/port" --dir "$work/d" --report "$work/destination.json" "$@" \
		>"$work/destination.log" 2>&1 &
	destination=$!
	children="$children $destination"
	tries=0
	while [ ! -s "$work/port" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "the destination does not listen"
		sleep 0.05
	done
	port=$(cat "$work/port")
}

# Whatever happens, nothing is left that cannot be freed.
clean() {
	! grep -e 'cannot be freed' -e 'does not end' -e 'cannot be ended' "$log" >/dev/null || fail "something is left behind"
}

one_side() {
	says "run: the sandbox ran on exactly one side in the end, the $1; nothing was lost"
}

case $case in
success)
	run 0 --containers 2
	one_side destination
	says 'timeline of the source'
	says 'timeline of the destination'
	says 'blackout exited after [0-9]* ms'
	says "every container's output goes on without gap or repeat"
	says 'demo-web-1-source .* running'
	says 'destination: container demo-worker-2-destination was ended with a signal (exit status 143), and its disk unplugged'
	;;
many)
	run 0 --containers 50 --memory 256 --bandwidth 0
	one_side destination
	says '51 containers'
	;;
transfer | blackout | finalize | kill-destination | kill-holder)
	run 0 --containers 3 --fail "$case"
	one_side source
	says 'source: not moved'
	says 'source: the sandbox runs here'
	says 'source: container .* was ended with a signal (exit status 143), and its disk unplugged'
	;;
guest)
	run 0 --fail guest
	says 'destination: the sandbox does not resume'
	one_side destination
	;;
kill-source)
	run 0 --fail kill-source
	says 'source: dies now'
	says 'destination: the sandbox runs here'
	one_side destination
	;;
missing-peer)
	run 3 source --connect 127.0.0.1:1 --run-ms 100
	says 'source: not moved: nobody answers at 127.0.0.1:1'
	says 'source: the sandbox runs here'
	;;
nobody-comes)
	run 3 destination --listen 127.0.0.1:0 --wait 1
	says 'destination: not taken over: nobody connected within 1 seconds'
	;;
stranger)
	# Something else listens: whatever it says, the sandbox stays.
	python3 - "$work/port" <<'PYTHON' &
import os, socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen()
with open(sys.argv[1] + '.new', 'w') as file:
    file.write(str(listener.getsockname()[1]))
os.rename(sys.argv[1] + '.new', sys.argv[1])
peer, _ = listener.accept()
peer.recv(100)
peer.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n' * 10)
peer.close()
PYTHON
	children="$children $!"
	while [ ! -s "$work/port" ]; do sleep 0.05; done
	run 3 source --connect "127.0.0.1:$(cat "$work/port")" --run-ms 100
	says 'source: not moved'
	says 'source: the sandbox runs here'
	;;
source-dies)
	# The source is killed while memory moves: its machine is gone with it, and the destination, which has no right, runs nothing.
	listen
	"$demo" source --connect "127.0.0.1:$port" --bandwidth 10 --dir "$work/s" >"$work/source.log" 2>&1 &
	source=$!
	children="$children $source"
	tries=0
	until grep -q 'sent an envelope' "$work/source.log"; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "the source does not begin"
		sleep 0.05
	done
	sleep 0.5
	kill -9 "$source"
	wait "$destination"
	code=$?
	cp "$work/destination.log" "$log"
	[ "$code" = 3 ] || fail "exit code $code, not 3"
	says 'destination: not taken over: '
	says 'destination: the sandbox does not run here'
	;;
arguments)
	run 0 --help
	says 'lcowmig-demo destination --listen'
	run 2 --containers 0
	says 'needs a number from 1 to 200'
	run 2 --fail nonsense
	says 'knows nothing of "nonsense"'
	run 2 --nonsense
	says 'unknown argument --nonsense'
	run 2 nonsense
	says 'unknown command nonsense'
	run 2 source
	says 'source needs --connect HOST:PORT'
	run 2 source --listen 127.0.0.1:1
	run 2 --memory
	says 'needs a number'
	run 3 destination --listen 203.0.113.1:1
	says 'cannot listen at'
	;;
*)
	fail "no such case"
	;;
esac
clean
cat "$log"
