#!/bin/sh
# Tools on a store that a program has open and writes to: asked through its
# owner. A backup is one state of the store: number and delta of a record are
# always equal in it. tool_live.sh WARP OWNER
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") owner=$(absolute "$2")
scene
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || :; rm -rf "$dir"' EXIT

# A path that is too long for a socket's address.
long=$dir/$(printf '%0120d' 1)
mkdir "$long"
store=$long/s
mkfifo in
# A program whose numbers have a comma, where such a locale can be made.
comma=C
if localedef -i de_DE -f UTF-8 "$dir/de_DE.UTF-8" >/dev/null 2>&1; then
    comma=de_DE.UTF-8
fi
LOCPATH=$dir LC_ALL=$comma "$owner" "$store" "$dir/last" <in >out 2>err &
pid=$!
exec 3>in
for _ in 1 2 3 4 5 6 7 8 9 10; do
    grep -q ready out && break
    sleep 0.3
done
sleep 1
[ "$(stat -c %a "$store/socket")" = 600 ] || fail "the socket's mode"
"$warp" stat "$store" --json | grep -q '"health":"ok"' || fail "stat"
"$warp" stat "$store" --json | python3 -m json.tool >/dev/null ||
    fail "stat is no JSON"
"$warp" stat "$store" >/dev/null 2>said && [ ! -s said ] ||
    fail "stat as lines: $(cat said)"
"$warp" stat "$store" --json | grep -q '"entropy":[01]\.' || fail "a point"
"$warp" plot placement "$store" | grep -q '</svg>' || fail "plot"
"$warp" devices "$store" --json |
    grep -q '"kind":"cpu".*"resident_bytes":0,"sent_bytes":0' || fail "devices"
"$warp" metrics "$store" | tail -1 | grep -q '^# EOF$' || fail "metrics"
"$warp" get "$store" Order k7 --json | grep -q '"code":"k7"' || fail "get"
"$warp" explain "$store" Order k7 scan >/dev/null || fail "explain"
[ "$("$warp" export "$store" Order --fields number | wc -l)" -gt 1000 ] ||
    fail "export"
[ "$("$warp" scan "$store" Order --json --limit 5 | wc -l)" = 5 ] || fail "scan"
"$warp" checkpoint "$store" || fail "checkpoint"
"$warp" clock "$store" >/dev/null || fail "clock"
status=0
"$warp" clock "$store" reset 2>/dev/null || status=$?
[ $status = 1 ] || fail "the clock of a live store is lowered"
"$warp" verify "$store" >found || fail "$(cat found)"
for round in 1 2 3; do
    "$warp" backup "$store" b --json >told || fail "backup $round"
    "$warp" verify b >found || fail "$(cat found)"
    rm -rf r
    "$warp" restore b r >/dev/null || fail "restore $round"
    "$warp" verify r >found || fail "$(cat found)"
    "$warp" export r Order --fields number,delta >all
    [ "$(wc -l <all)" = 5000 ] || fail "$(wc -l <all) records in the backup"
    bad=$(sed 's/.*"number":\([0-9]*\),"delta":\([0-9]*\).*/\1 \2/' all |
        awk '$1 != $2' | wc -l)
    [ "$bad" = 0 ] || fail "$bad records are torn"
    # One writer: the numbers are a window without a hole.
    sed 's/.*"number":\([0-9]*\).*/\1/' all | sort -n |
        awk 'NR == 1 { first = $1 } $1 != first + NR - 1 { bad = 1 }
             END { exit bad }' || fail "the backup is no moment of the store"
done

# back to the earliest position and to the last
base=$(sed 's/.*"base":\([0-9]*\).*/\1/' told)
position=$(sed 's/.*"position":\([0-9]*\).*/\1/' told)
for to in "$base" "$position"; do
    rm -rf p
    "$warp" restore b p --to "$to" >/dev/null || fail "restore --to $to"
    "$warp" export p Order --fields number |
        sed 's/.*"number":\([0-9]*\).*/\1/' | sort -n |
        awk 'NR == 1 { first = $1 } $1 != first + NR - 1 { bad = 1 }
             END { exit bad }' || fail "--to $to is no moment of the store"
done

# hostile bytes: the owner stays
python3 - "$store/socket" <<'PY' || fail "hostile bytes"
import os, random, socket, struct, sys
random.seed(7)
os.chdir(os.path.dirname(sys.argv[1]))
def connect():
    s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect("socket")
    return s
for n in range(300):
    s = connect()
    body = bytes(random.randrange(256) for _ in range(random.randrange(40)))
    if n % 3:
        body = struct.pack("<HH", 1, random.randrange(12)) + body
    head = struct.pack("<II", 0x51505257 if n % 5 else 7,
                       len(body) if n % 7 else 1 << 31)
    # never a path to write to, nor long work
    if len(body) > 3 and body[2] in (9, 10, 11):
        continue
    try:
        s.sendall(head + body)
        if n % 2:
            s.recv(65536)
    except OSError:
        pass
    s.close()
PY
kill -0 "$pid" || fail "the owner is gone: $(cat err)"
"$warp" get "$store" Order k7 >/dev/null || fail "get after hostile bytes"
# more askers than it has threads for: they wait
n=0 asked=
while [ $n -lt 40 ]; do
    n=$((n + 1))
    "$warp" export "$store" Order --fields number >"many.$n" 2>"many.err.$n" &
    asked="$asked $!"
done
for one in $asked; do
    wait "$one" || fail "many askers: $(cat many.err.*)"
done

# an owner that is stopped: told with its number, and an interrupt is heard
kill -STOP "$pid"
status=0 began=$(date +%s)
"$warp" stat "$store" >said 2>&1 || status=$?
[ $status = 1 ] && grep -q "process $pid has this store open" said ||
    fail "a stopped owner: $status $(cat said)"
[ $(($(date +%s) - began)) -lt 40 ] || fail "a stopped owner: too long"
for signal in INT TERM; do
    # In the background a shell has SIGINT ignored.
    python3 - "$signal" "$warp" get "$store" Order k7 <<'PY' || fail "SIG$signal"
import signal, subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stderr=subprocess.DEVNULL)
time.sleep(1)
p.send_signal(getattr(signal, "SIG" + sys.argv[1]))
sys.exit(p.wait(5) != 3)
PY
done
kill -CONT "$pid"
"$warp" get "$store" Order k7 >/dev/null || fail "get of an owner that goes on"
# and so is one in the middle of a long output
python3 - "$warp" export "$store" Order <<'PY' || fail "an export goes on"
import signal, subprocess, sys
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
p.stdout.read(100)
p.send_signal(signal.SIGTERM)
sys.exit(len(p.communicate(timeout=20)[0]) > 1500000 or p.returncode != 3)
PY

exec 3>&-
wait "$pid" || fail "the owner failed: $(cat err)"
pid=
[ ! -e "$store/socket" ] || fail "the socket is left behind"
"$warp" verify "$store" >found || fail "$(cat found)"
"$warp" verify last >found || fail "$(cat found)"
"$warp" restore last end >/dev/null || fail "restore of warp_backup()"
"$warp" export "$store" Order | sort >want
"$warp" export end Order | sort >have
cmp want have || fail "warp_backup() has another state"
