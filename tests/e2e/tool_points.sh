#!/bin/sh
# Restore to a point: a full and incremental backups in one directory lead to
# every position and time that their logs hold; what they do not hold is
# refused with what they do. tool_points.sh WARP SCHEMA
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") schema=$(absolute "$2")
scene

# Writes records A to B with the round's number, over those of earlier rounds.
write() {
    i=$1
    while [ "$i" -le "$2" ]; do
        printf '{"code":"k%03d","number":%d,"raw":"AAECAw==","scan":"%s"}\n' \
            "$i" "$3" "AAAA"
        i=$((i + 1))
    done >in.ndjson
    "$warp" import --schema "$schema" s Order in.ndjson 2>/dev/null
}

value() { # NAME FILE: a number of a reply
    sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$2"
}

# The model of a moment: what an export of the store said then.
remember() {
    "$warp" export s Order | sort >"want.$1"
    "$warp" stat s --json >told
    value position told >"at.$1"
    [ "$1" != 2 ] || sleep 1.1 # whole seconds can be named, too
    sleep 0.05
    date -u +%s%3N >"time.$1"
    [ "$1" != 2 ] || date -u +%Y-%m-%dT%H:%M:%SZ >time.2
    [ "$1" != 2 ] || sleep 1.1
    sleep 0.05
}

same() { # STATE: the restored store is as it was
    "$warp" export r Order | sort >have
    cmp "want.$1" have || fail "$2 does not give moment $1"
    "$warp" verify r >found || fail "$(cat found)"
    rm -rf r
}

write 1 20 1
remember 1
"$warp" backup s b --json >told.1
write 11 30 2
remember 2
write 5 8 3
remember 3
"$warp" backup s b --json >told.2
[ "$(value earlier told.2)" = 1 ] || fail "earlier: $(cat told.2)"
write 1 40 4
remember 4
"$warp" backup s b --json >told.3
"$warp" backup s b --json >told.4 # nothing new: no further state
[ "$(value earlier told.4)" = 2 ] || fail "earlier: $(cat told.4)"
"$warp" verify b >found || fail "$(cat found)"

for moment in 1 2 3 4; do
    "$warp" restore b r --to "$(cat at.$moment)" >said ||
        fail "position $(cat at.$moment): $(cat said)"
    same $moment "--to $(cat at.$moment)"
    "$warp" restore b r --to "$(cat time.$moment)" >said ||
        fail "time $(cat time.$moment): $(cat said)"
    same $moment "--to $(cat time.$moment)"
done
"$warp" restore b r >said || fail "$(cat said)"
same 4 "the newest state"

# what is no time, and what lies behind the backup
for no in 2026-13-45 2026-02-31T00:00:00Z 2026-02-29 2026-01-31T13:99:99Z \
    2026-01-31T24:00:00Z 2026-1-3 2026-01-31T12:00 +2026-01-31 2026-01-31x; do
    status=0
    "$warp" restore b r --to "$no" 2>said >said || status=$?
    [ $status = 2 ] && [ ! -e r ] || fail "--to $no: $status $(cat said)"
done
for no in "$(($(date -u +%s) + 3600))000" 2999-12-31T23:59:59Z \
    $(($(cat at.4) + 1)); do
    status=0
    "$warp" restore b r --to "$no" 2>said >said || status=$?
    [ $status = 1 ] && grep -q 'reaches the positions' said ||
        fail "--to $no: $status $(cat said)"
    [ ! -e r ] || fail "a refused restore leaves a directory"
done

# every position between gives some moment of one writer: a prefix of a round
from=$(cat at.1) to=$(cat at.4)
[ "$to" -gt $((from + 2)) ] || fail "too few positions: $from to $to"
at=$from
while [ "$at" -le "$to" ]; do
    "$warp" restore b r --to "$at" >said || fail "position $at"
    "$warp" export r Order --fields number >have
    [ "$(wc -l <have)" -ge 20 ] || fail "position $at: $(wc -l <have) records"
    rm -rf r
    at=$((at + 1))
done

# a flipped byte of an earlier state is found, and not restored
victim=$(find b/earlier -name data.mdb | head -1)
cp -r b c
printf '\377' | dd of="c/${victim#b/}" bs=1 seek=5000 conv=notrunc 2>/dev/null
! "$warp" verify c >found || fail "damage of an earlier state"
grep -q earlier found || fail "$(cat found)"
rm -rf c

# --keep 0: only the newest; what is before it is refused with the range
"$warp" backup s b --keep 0 --json >told
[ ! -e b/earlier ] || fail "--keep 0 keeps a state"
status=0
"$warp" restore b r --to 1 2>said >said || status=$?
[ $status = 1 ] && grep -q "positions $(value base told) to" said ||
    fail "before the backup: $status $(cat said)"
[ ! -e r ] || fail "a refused restore leaves a directory"
status=0
"$warp" backup s b --keep x 2>/dev/null || status=$?
[ $status = 2 ] || fail "--keep x"

# a log that was cut between two backups: a gap, and both sides of it
"$warp" backup s b2 --json >told.1
big=$(head -c 60000 /dev/urandom | base64 -w 0)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    printf '{"code":"big%d","number":%d,"raw":"%s"}\n' "$i" "$i" "$big"
done >in.ndjson
for i in 1 2 3; do
    "$warp" import --schema "$schema" s Order in.ndjson 2>/dev/null
    "$warp" checkpoint s >/dev/null
done
remember 5
"$warp" backup s b2 --json >told.2
gap=$(($(value position told.1) + 2))
status=0
"$warp" restore b2 r --to "$gap" 2>said >said || status=$?
[ $status = 1 ] && grep -q ' to .*, .* to ' said || fail "the gap: $(cat said)"
"$warp" restore b2 r --to "$(value position told.1)" >said || fail "$(cat said)"
same 4 "the state before the gap"
"$warp" restore b2 r >said || fail "$(cat said)"
"$warp" export r Order | sort >have
cmp want.5 have || fail "the state behind the gap"

# a restored store lives another life: its positions are not those of the old
status=0
"$warp" backup r b2 2>said || status=$?
[ $status = 1 ] && grep -q 'new directory' said || fail "two lives: $(cat said)"
"$warp" backup r b3 >/dev/null || fail "a backup of the restored store"
