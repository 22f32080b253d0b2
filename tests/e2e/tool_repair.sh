#!/bin/sh
# A repaired store holds what the damaged one would have given: deadlines,
# elements and deletes, too, whether tiers or log hold them.
# tool_repair.sh WARP OWNER
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") owner=$(absolute "$2")
scene

deadlines() { # STORE
    for id in 1 2 3 4 5 6 11 12 13; do
        "$warp" explain "$1" Token $id secret --json 2>&1 |
            grep -o '"deadline_ms":[0-9]*' || echo none
        "$warp" explain "$1" Session $id v --json 2>&1 |
            grep -o '"record_deadline_ms":[0-9]*' || echo none
    done
}

for mode in log tiers both; do
    rm -rf s r
    "$owner" s $mode 2>/dev/null && fail "the owner lives"
    sleep 0.1 # what is to expire has
    exits 0 "$warp" repair s r
    "$warp" dump s >want
    "$warp" dump r >have
    [ -s want ] || fail "$mode: an empty store"
    diff want have || fail "$mode: the repaired store differs"
    deadlines s >want
    deadlines r >have
    grep -q '"record' want || fail "$mode: no deadlines"
    diff want have || fail "$mode: deadlines differ"
    exits 0 "$warp" verify r
done

# A ring in which one byte has changed since the owner died: what is gone with it
# is gone with a word, from reading and from writing commands.
rm -rf s
"$owner" s log 2>/dev/null && fail "the owner lives"
places=$(grep -abo 's3cret' s/ring/* | head -3 | sed 's/:s3cret//')
[ -n "$places" ] || fail "no ring with a value"
for place in $places; do
    for call in "dump c" "export c Token" "stat c" "checkpoint c" "compact c" \
        "migrate c"; do
        rm -rf c && cp -r s c
        file=${place%:*} at=${place##*:}
        flip "c/${file#s/}" "$at"
        # shellcheck disable=SC2086 # the words of a call
        exits 1 "$warp" $call
        grep -q 'ring' out || fail "$call of a damaged ring: $(cat out)"
    done
done

# What stands in other rings is read by a repair, and what is lost is listed.
"$warp" dump s >want
for place in $places; do
    rm -rf c r && cp -r s c
    file=${place%:*} at=${place##*:}
    flip "c/${file#s/}" "$at"
    exits 1 "$warp" repair c r
    grep -q 'damaged record at byte .* of its shard behind it' out ||
        fail "what is lost: $(cat out)"
    "$warp" dump r >have
    [ "$(wc -l <have)" -lt "$(wc -l <want)" ] &&
        [ "$(wc -l <have)" -ge $(($(wc -l <want) / 2)) ] ||
        fail "$(wc -l <have) records of $(wc -l <want)"
    exits 0 "$warp" verify r
done

# A repair that is broken off leaves nothing that could pass for a store.
rm -rf s r
"$owner" s many 2>/dev/null && fail "the owner lives"
round=0 stopped=
while [ $round -lt 20 ]; do
    round=$((round + 1)) status=0
    rm -rf r
    "$warp" repair s r >out 2>&1 &
    sleep 0.$((round % 10))
    kill -TERM $! 2>/dev/null || :
    wait $! || status=$?
    [ $status != 0 ] || continue
    [ $status = 3 ] || [ $status = 143 ] || fail "broken off: $status $(cat out)"
    [ $status = 143 ] || stopped=1
    [ ! -e r ] || [ $status = 143 ] || fail "broken off: $(ls r)"
    [ -z "$stopped" ] || break
done
[ -n "$stopped" ] || fail "no repair was broken off"
