#!/bin/sh
# Stores of an earlier time open for ever: what version 1 of the formats wrote
# is sound, says what it said then, and can be written to.
#   frozen.sh WARP FROZEN DATA            the test
#   frozen.sh WARP FROZEN DATA --freeze   makes the stores anew: only before a
#                                         version is frozen
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../e2e/scene.sh"
warp=$(absolute "$1") frozen=$(absolute "$2") data=$(absolute "$3")
scene

# All that a store holds, as text.
tell() {
    for product in Thing Letter Sensor Pair; do
        echo "== $product"
        "$warp" export --format ndjson "$1" $product
    done
}

pack() {
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        -cf - "$1" | gzip -9n >"$data/$1.tar.gz"
}

if [ "${4:-}" = --freeze ]; then
    "$frozen" make .
    "$warp" backup killed backup >/dev/null
    for store in closed killed; do
        rm -f $store/socket
        pack $store
    done
    pack backup
    tell closed | gzip -9n >"$data/closed.txt.gz"
    tell killed | gzip -9n >"$data/killed.txt.gz"
    exit 0
fi

for store in closed killed backup; do
    gzip -dc "$data/$store.tar.gz" | tar -xf -
    "$warp" verify $store >out 2>&1 || fail "verify $store: $(cat out)"
done
"$warp" restore backup restored >out 2>&1 || fail "restore: $(cat out)"
gzip -dc "$data/closed.txt.gz" >closed.txt
gzip -dc "$data/killed.txt.gz" >killed.txt
tell closed >out
cmp closed.txt out || fail "closed says another thing"
for store in killed backup restored; do
    tell $store >out
    cmp killed.txt out || fail "$store says another thing"
done
for store in closed killed restored; do
    "$frozen" open $store || fail "$store cannot be opened for writing"
    "$warp" verify $store >out 2>&1 || fail "verify $store: $(cat out)"
done
