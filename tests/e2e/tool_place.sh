#!/bin/sh
# What the engine does with values, told by the tools of a live store: explain,
# advise, plot. tool_place.sh WARP OWNER
set -eu
absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}
warp=$(absolute "$1") owner=$(absolute "$2")
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || :; rm -rf "$dir"' EXIT
cd "$dir"

fail() {
    echo "$1"
    exit 1
}
has() {
    grep -q "$1" "$2" || fail "$2 lacks $1: $(cat "$2")"
}

mkfifo in
"$owner" s <in >out 2>err &
pid=$!
exec 3>in
for _ in $(seq 1 300); do
    grep -q ready out && break
    kill -0 "$pid" 2>/dev/null || fail "the owner: $(cat err)"
    sleep 0.3
done
grep -q ready out || fail "the owner is not ready"

# A book that is in use, one that was read once long ago, and a note.
"$warp" explain s Book 7 text --json >hot
has '"engine":{"decides":"[a-z0-9-]*"' hot
has '"where":\["memory"' hot
has '"last_move":{"to":"memory"' hot
has '"gained_us":[0-9]' hot
has '"next_move":{"to":"tier"' hot
has '"from_ssd_us":[0-9]' hot
has '"settings":{"window_percent":[0-9]' hot
has '"tried":[0-9]' hot
has '"uses":[1-9][0-9]' hot
"$warp" explain s Book 600 text --json >cold
has '"where":\["ssd"\]' cold
has '"last_move":{"to":"tier"' cold
has '"next_move":{"to":"memory"' cold
"$warp" explain s Note 7 n --json >note
! grep -q engine note || fail "a note is placed: $(cat note)"

"$warp" advise s --json >advice
has '"products_measured":1' advice
has '"gets_measured":[1-9]' advice
"$warp" advise s >lines
has products_measured lines

"$warp" plot heat s -o heat.svg
has 'Book, 8+' heat.svg
has 'not measured' heat.svg
has '</svg>' heat.svg
"$warp" plot placement s >placement.svg
has '>Note<' placement.svg
has '<title>memory_bytes' placement.svg
has '<title>ssd_bytes' placement.svg
status=0
"$warp" plot nothing s 2>/dev/null || status=$?
[ $status = 2 ] || fail "an unknown plot: $status"
status=0
"$warp" plot heat s -o none/x.svg 2>/dev/null || status=$?
[ $status = 3 ] || fail "a file that cannot be made: $status"

exec 3>&-
wait "$pid" || fail "the owner: $(cat err)"
pid=
# Nobody has it open: nothing is measured, and that is said.
"$warp" advise s --json >advice
has '"products_measured":0' advice
"$warp" plot placement s | grep -q '<title>ssd_bytes' || fail "plot, closed"
