#!/bin/sh
# The tools on a store with all tiers, of 150 days of the year test: verify,
# stat, explain, migrate, backup, restore, and damage to each file of the
# archive. tool_archive.sh WARP YEAR
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") year=$(absolute "$2")
scene

exits 0 "$year" 150 .
mv store s
exits 0 "$warp" verify s
exits 0 "$warp" migrate s --json
grep -q '"steps":' out || fail "migrate: $(cat out)"
exits 0 "$warp" verify s
exits 0 "$warp" stat s --deep --json
grep -q '"archive":{"bytes":0}' out && fail "nothing is archived"
exits 0 "$warp" explain s Sensor 7 alarms --json
grep -q '"tier":"archive","count":[1-9]' out || fail "explain: $(cat out)"
grep -q '"tier":"disk","count":[1-9]' out || fail "explain: $(cat out)"
# values of a field that the engine places, too: of users of the first months
archived=0
for n in 1 2 3 4 5 6 7 8 9; do
    "$warp" explain s Photo "user-$n" pixels --json >out 2>&1 || continue
    grep -q '"where":\["archive"' out && archived=$((archived + 1))
done
[ $archived -gt 0 ] || fail "no photo is archived: $(cat out)"
"$warp" export s Photo | sort >photos
grep -q pixels photos || fail "photos: $(head -n 1 photos)"
"$warp" export s Sensor | sort >want
[ "$(wc -l <want)" = 100 ] || fail "records: $(wc -l <want)"

exits 0 "$warp" backup s b
ls b/archive/*.wseg >/dev/null || fail "the backup lacks the archive"
exits 0 "$warp" backup s b --json # again: what is sealed is taken over
grep -q '"linked":[1-9]' out || fail "nothing is linked: $(cat out)"
exits 0 "$warp" verify b
exits 0 "$warp" restore b r
exits 0 "$warp" verify r
"$warp" export r Sensor | sort >have
cmp want have || fail "the restored store differs"
"$warp" export r Photo | sort >have
cmp photos have || fail "the restored photos differ"

# each file of the archive, of a backup and of a store
files=$(cd s/archive && ls | awk 'NR % 5 == 1 || /manifest/')
for file in $files; do
    size=$(wc -c <"s/archive/$file")
    for at in 0 $((size / 3)) $((size - 1)); do
        rm -rf c && cp -r b c
        flip "c/archive/$file" $at
        exits 1 "$warp" verify c
        [ -s out ] || fail "damage without a word: $file"
        rm -rf c && cp -r s c
        flip "c/archive/$file" $at
        exits 1 "$warp" verify c
        grep -q "$file" out || fail "damage of $file: $(cat out)"
    done
done
# a segment that is missing is told, the rest can be read and repaired
rm -rf c && cp -r s c
rm "c/archive/$(cd s/archive && ls ./*.wseg | head -n 1)"
exits 1 "$warp" verify c
grep -q 'missing' out || fail "what is missing: $(cat out)"
exits 1 "$warp" repair c fixed
exits 0 "$warp" verify fixed
"$warp" export fixed Photo | sort >have
[ "$(wc -l <have)" = "$(wc -l <photos)" ] || fail "repair loses photos' rows"
[ "$("$warp" export fixed User | wc -l)" = "$("$warp" export s User | wc -l)" ] ||
    fail "repair loses what is whole"
