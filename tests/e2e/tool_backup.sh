#!/bin/sh
# Backups that others make, damage and break off: what is refused, what stays,
# and what is said. tool_backup.sh WARP SCHEMA
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") schema=$(absolute "$2")
scene
holder=
trap '[ -z "$holder" ] || kill "$holder" 2>/dev/null || :; rm -rf "$dir"' EXIT

write() { # CODE NUMBER
    printf '{"code":"%s","number":%d,"raw":"AAECAw==","scan":"AAAA"}\n' \
        "$1" "$2" | "$warp" import --schema "$schema" s Order - 2>/dev/null
}
write a 1
exits 0 "$warp" backup s b

# Two at once into one directory: one of them is refused, none is broken.
write b 2
if command -v python3 >/dev/null; then
    mkfifo held
    python3 - <<'PY' &
import fcntl
lock = open("b.lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("held", "w").close()
open("held", "r").close()
PY
    holder=$!
    : <held
    exits 1 "$warp" backup s b
    grep -q 'process [0-9]* makes a backup into .*/b: wait' out ||
        fail "a second backup: $(cat out)"
    [ ! -e b.new ] || fail "a refused backup leaves a directory"
    : >held
    wait "$holder"
    holder=
    exits 0 "$warp" verify b
fi
round=0
while [ $round -lt 6 ]; do
    round=$((round + 1))
    write "r$round" $round
    "$warp" backup s b >one 2>&1 &
    first=0 second=0
    "$warp" backup s b >two 2>&1 || second=$?
    wait $! || first=$?
    [ $first -le 1 ] && [ $second -le 1 ] && [ $((first * second)) = 0 ] ||
        fail "two at once: $first $(cat one) $second $(cat two)"
    [ $((first + second)) = 0 ] || grep -q 'makes a backup' one two ||
        fail "two at once: $(cat one two)"
    exits 0 "$warp" verify b
done
# What has not changed since the state before is one file with it.
exits 0 "$warp" backup s same
exits 0 "$warp" backup s same --json
files=$(find same -maxdepth 2 -type f -size +0 ! -name backup ! -path '*/earlier/*')
linked=$(sed 's/.*"linked":\([0-9]*\).*/\1/' out)
[ "$linked" = "$(echo "$files" | wc -l)" ] || fail "$linked of $files"
write same 1
exits 0 "$warp" backup s same
exits 0 "$warp" verify same
[ "$(stat -c %h same/schema/1.wsd)" = 2 ] || fail "the schema is no link"
# What a killed one leaves is taken away by the next.
mkdir -p b.new/ssd && touch b.lock b.new/ssd/data.mdb
exits 0 "$warp" backup s b
[ ! -e b.new ] && [ ! -e b.lock ] || fail "left behind: $(ls)"

# An earlier state that is damaged: the newest one is restored all the same, and
# a further backup says what is damaged. The store is sound.
write c 3
exits 0 "$warp" backup s b
"$warp" export s Order | sort >want
last=$(find b/earlier -mindepth 1 -maxdepth 1 | sort -t/ -k3 -n | tail -1)
for name in backup ssd/data.mdb; do
    file=$last/$name
    rm -rf c r && cp -r b c
    flip "c/${file#b/}" $(($(wc -c <"$file") / 2))
    exits 1 "$warp" verify c
    exits 0 "$warp" restore c r
    "$warp" export r Order | sort | cmp - want || fail "not the newest"
    write d 4
    rm -rf keep && cp -r c keep
    exits 1 "$warp" backup s c
    grep -q 'backup that stands in .*/c is damaged: name a new' out ||
        fail "whose damage: $(cat out)"
    diff -r c keep || fail "a refused backup changes the old one"
    rm "c/${file#b/}"
    exits 1 "$warp" backup s c
    grep -q "c/${file#b/} is missing" out || fail "missing: $(cat out)"
done
for file in $(cd b && find disk -name '*.wseg'); do # taken over, not copied
    rm -rf c && cp -r b c
    flip "c/$file" $(($(wc -c <"c/$file") / 2))
    exits 1 "$warp" backup s c
    grep -q 'backup that stands in' out || fail "a segment: $(cat out)"
done
rm -rf c && cp -r b c
flip c/backup 100
exits 1 "$warp" backup s c
grep -q 'holds a backup whose file `backup` is damaged' out || fail "$(cat out)"

# A backup that has lost its seal is not called clean.
for made in b c; do
    rm -rf c && cp -r b c
    rm c/backup
    [ $made = b ] || rm -rf c/earlier
    exits 1 "$warp" verify c
    grep -q 'backup without its seal' out || fail "no seal: $(cat out)"
done
