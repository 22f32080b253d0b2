#!/bin/sh
# A store whose schema has changed, before its records are rewritten: every tool
# reads it as one store. tool_evolve.sh WARP SCHEMA
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") schema=$(absolute "$2")
scene

records=6000
awk -v n=$records 'BEGIN {
    for (i = 0; i < n; i++) {
        text = sprintf("AAAA%08d", i)
        for (k = 0; k < 6; k++)
            text = text text
        printf "{\"code\":\"k%05d\",\"number\":%d,\"raw\":\"%s\",", i, i, \
            substr(text, 1, 400)
        printf "\"scan\":\"%s\",\"tags\":[\"t%d\"]}\n", text, i
    }
}' >in.ndjson
"$warp" import --schema "$schema" s Order in.ndjson 2>/dev/null
fields=code,number,raw,scan,tags
"$warp" export s Order --fields $fields | sort >want

# raw goes to disk, scan to memory, tags to ssd; a field comes before the others
sed -e 's/raw :: bytes, persist: :ssd/raw :: bytes, persist: :disk/' \
    -e 's/scan :: bytes, persist: :disk_compressed/scan :: bytes/' \
    -e 's/tags :: \[string\]/tags :: [string], persist: :ssd/' \
    -e 's/  number :: u64/  extra_number :: u32\n  number :: u64/' \
    "$schema" >new.warp
printf '{"code":"k00001","delta":5}\n' >one.ndjson
mv s old
# On a busy machine all may have been moved before the import ends: once more.
moved=0 tries=0
while [ "$moved" = 0 ] && [ $tries -lt 10 ]; do
    rm -rf s probe && cp -r old s
    "$warp" import --schema new.warp s Order one.ndjson 2>/dev/null
    cp -r s probe
    "$warp" migrate probe --json >told || fail "migrate"
    moved=$(sed 's/.*"records_rewritten":\([0-9]*\).*/\1/' told)
    tries=$((tries + 1))
done
[ "$moved" -gt 0 ] || fail "nothing was left to migrate: $(cat told)"
"$warp" inspect s --json | grep -q '"version":2' || fail "no new schema"

same() {
    "$warp" export "$1" Order --fields $fields | sort >have
    cmp want have || fail "$2"
}
"$warp" verify s >found || fail "$(cat found)"
same s "the store differs when it is opened"
cp -r s kept
"$warp" backup s b >/dev/null || fail "backup"
"$warp" verify b >found || fail "$(cat found)"
"$warp" restore b r >/dev/null || fail "restore"
same r "the restored store differs"
rm -rf s && cp -r kept s
"$warp" repair s fixed >found || fail "$(cat found)"
same fixed "the repaired store differs"
"$warp" migrate s >/dev/null || fail "migrate"
"$warp" migrate s --json | grep -q '"records_rewritten":0' || fail "twice"
"$warp" verify s >found || fail "$(cat found)"
same s "the migrated store differs"
"$warp" explain s Order k00007 raw --json | grep -q disk || fail "explain"

# damaged values of the old form are found, wherever some are still read
rm -rf s && cp -r kept s
for file in s/disk/*; do
    size=$(wc -c <"$file") part=1
    while [ $part -lt 64 ]; do
        printf '\377\000\377' | dd of="$file" bs=1 \
            seek=$((size / 64 * part)) conv=notrunc 2>/dev/null
        part=$((part + 1))
    done
done
! "$warp" verify s >found || fail "damage under the old form"
[ -s found ] || fail "damage without a word"
