#!/bin/sh
# Backup, restore, verify and compact of a closed store; every kind of file
# damaged once. tool_care.sh WARP SCHEMA
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") schema=$(absolute "$2")
scene

i=0
while [ $i -lt 300 ]; do
    printf '{"code":"k%d","number":%d,"raw":"AAECAwQFBgc=",' $i $i
    printf '"scan":"%s","history":[{"at":%d,"value":1}]}\n' \
        "$(printf 'AAAA%04d%.0s' $i 1 2 3 4 5 6 7 8)" $((1700000000000 + i))
    i=$((i + 1))
done >in.ndjson
"$warp" import --schema "$schema" s Order in.ndjson 2>/dev/null
"$warp" export s Order | sort >want
exits 0 "$warp" verify s
exits 0 "$warp" backup s b
exits 0 "$warp" backup s b # again: what is sealed is taken over
exits 0 "$warp" verify b
exits 1 "$warp" restore b s
mkdir full && touch full/file
exits 1 "$warp" backup s full
exits 0 "$warp" restore b r
"$warp" export r Order | sort >have
cmp want have || fail "the restored store differs"
exits 0 "$warp" compact r
exits 0 "$warp" migrate r
exits 0 "$warp" verify r
"$warp" export r Order | sort >have
cmp want have || fail "the compacted store differs"
exits 0 "$warp" checkpoint r
"$warp" clock r --json | grep -q '"jumped":false' || fail "clock"
exits 0 "$warp" clock r reset
exits 0 "$warp" verify r
# It has no log now, on purpose: so have its copies.
exits 0 "$warp" backup r rb
exits 0 "$warp" verify rb
exits 0 "$warp" restore rb rr
exits 0 "$warp" verify rr
rm -rf rr && cp -r r rr && rm rr/log/*
exits 1 "$warp" verify rr
grep -q 'last segments of the log are missing' out || fail "$(cat out)"
rm -rf rb rr
"$warp" export r Order | sort >have
cmp want have || fail "the store differs after a reset of the clock"
exits 1 "$warp" restore b late --to 1
[ ! -e late ] || fail "a refused restore leaves a directory"

# a backup: every file, at its beginning, middle and end
for file in $(cd b && find . -type f); do
    size=$(wc -c <"b/$file")
    for at in 0 $((size / 2)) $((size - 1)); do
        rm -rf c && cp -r b c
        flip "c/$file" $at
        exits 1 "$warp" verify c
        grep -q . out || fail "damage without a word: $file"
        exits 1 "$warp" restore c d
        [ ! -e d ] || fail "a damaged backup is restored"
    done
done
rm -rf c && cp -r b c && rm c/ssd/data.mdb
exits 1 "$warp" verify c

# a store: what a read could return
for name in store schema/1.wsd; do
    rm -rf c && cp -r s c
    flip c/$name 40
    exits 1 "$warp" verify c
done
for file in $(cd s && find disk -type f); do
    rm -rf c && cp -r s c
    flip "c/$file" $(($(wc -c <"s/$file") / 2))
    exits 1 "$warp" verify c
    grep -q 'Order .* field scan' out || fail "who has lost it: $(cat out)"
done
"$warp" stat s | grep -q 'products.Order.records' || fail "$("$warp" stat s)"
# of a store that nobody has open, too: its directory is read first
live=$("$warp" stat s --json | grep -o '"live_bytes":[0-9]*')
[ "${live#*:}" -gt 5000 ] || fail "live bytes of the disk: $live"
for round in 1 2 3 4 5 6 7 8 9 10; do
    [ "$("$warp" stat s --json | grep -o '"live_bytes":[0-9]*')" = "$live" ] ||
        fail "live bytes differ, round $round"
done
"$warp" stat s --deep --json | grep -q '"elements":300' || fail "deep"
"$warp" metrics s | tail -1 | grep -q '^# EOF$' || fail "metrics"
! "$warp" stat s | grep -q "$(printf '\033')" || fail "escape codes in a pipe"

# repair: all of a sound store; of a damaged one what can be read, and a list
exits 0 "$warp" repair s whole
"$warp" export whole Order | sort >have
cmp want have || fail "the repaired store differs"
exits 1 "$warp" repair s whole
for file in $(cd s && find disk -type f); do
    rm -rf c fixed && cp -r s c
    flip "c/$file" $(($(wc -c <"s/$file") / 2))
    exits 1 "$warp" repair c fixed
    grep -q 'Order .* field scan' out || fail "what is lost: $(cat out)"
    exits 0 "$warp" verify fixed
    [ "$("$warp" export fixed Order --fields number | wc -l)" = 300 ] ||
        fail "records are lost with a field"
done
# the table that names the archive and the schemas: told, the rows are there
rm -rf c fixed && cp -r s c
grep -abo checkpoint s/ssd/data.mdb | cut -d: -f1 >places
[ -s places ] || fail "no such table"
while read -r at; do flip c/ssd/data.mdb $((at / 4096 * 4096 + 10)); done <places
exits 1 "$warp" repair c fixed
grep -q 'cannot be opened' out || fail "what is lost: $(cat out)"
[ "$("$warp" export fixed Order --fields number | wc -l)" = 300 ] ||
    fail "rows are lost with that table"
# a page of rows: everything else is there
rm -rf c fixed && cp -r s c
page=4096 found=
while [ $page -lt "$(wc -c <c/ssd/data.mdb)" ]; do
    if dd if=s/ssd/data.mdb bs=4096 skip=$((page / 4096)) count=1 2>/dev/null |
        grep -aq 'k150'; then
        rm -rf c && cp -r s c
        flip c/ssd/data.mdb $((page + 4000))
        "$warp" verify c >out || { found=1 && break; }
    fi
    page=$((page + 4096))
done
[ -n "$found" ] || fail "no page of rows to damage"
exits 1 "$warp" repair c fixed
[ "$("$warp" export fixed Order --fields number | wc -l)" -gt 200 ] ||
    fail "$("$warp" export fixed Order --fields number | wc -l) of 300: $(cat out)"
exits 0 "$warp" verify fixed
