#!/bin/sh
# warp-bench from outside: every engine of the build runs every workload
# without an error, the JSON has a row for each, mistakes end with status 2.
#   bench.sh WARP-BENCH WARP
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
bench=$(realpath "$1")
warp=$(realpath "$2")
scene

"$bench" kv --help >"$dir/help"
head -n 1 "$dir/help" | grep -q '^  warp-bench' ||
    fail "the help does not begin with examples"
engines=$(awk '/^engines in this build/ {on = 1; next} on {print $1}' \
    "$dir/help")
# The peers are not instrumented: what a sanitizer says of them is not ours.
[ -z "${WARP_TEST_SANITIZE:-}" ] ||
    engines=$(echo "$engines" | grep -E '^(warp|memtable|rawlog)$')
# measure DURABILITY BLOCKS OPTIONS...: so many blocks of five workloads
measure() {
    durability=$1 blocks=$2
    shift 2
    "$bench" kv --durability "$durability" --seconds 0.05 --dir "$dir" \
        --engines "$(echo "$engines" | paste -s -d ,)" \
        --json "$dir/kv.json" "$@" >"$dir/table" 2>"$dir/err" ||
        fail "$durability: $(cat "$dir/err")"
    for engine in $engines; do
        rows=$(grep -c "\"engine\":\"$engine\"" "$dir/kv.json" || true)
        # An engine without reads has two workloads of the five.
        case $engine in rawlog) wanted=2 ;; *) wanted=5 ;; esac
        [ "$rows" = $((wanted * blocks)) ] || fail "$engine: $rows rows"
    done
    if grep '"engine"' "$dir/kv.json" | grep -v '"errors":0}'; then
        fail "errors"
    fi
    if grep '"ops_per_s":0.0' "$dir/kv.json"; then fail "nothing done"; fi
    grep -q "\"durability\":\"$durability\"" "$dir/kv.json" ||
        fail "durability is not in the JSON"
}
measure process_crash 4 --records 500 --repeat 2 --threads 1,3 --value 7,100
measure power_loss 1 --records 50 --repeat 1 --threads 2
# Scans, where an engine has them: each record, in order, with its value; and
# a plot with a bar for each row.
"$bench" kv --engines "$(echo "$engines" | paste -s -d ,)" --workloads s,h \
    --seconds 0.05 --records 3000 --repeat 1 --threads 2 --dir "$dir" \
    --json "$dir/kv.json" --plot "$dir/kv.svg" >"$dir/table" 2>"$dir/err" ||
    fail "scans: $(cat "$dir/table" "$dir/err")"
for engine in $(echo "$engines" | grep -E '^(warp|lmdb|rocksdb|leveldb)$'); do
    grep -q "\"engine\":\"$engine\",\"workload\":\"s\"" "$dir/kv.json" ||
        fail "$engine: no scan"
done
if grep '"engine"' "$dir/kv.json" | grep -v '"errors":0}'; then
    fail "errors in scans"
fi
[ "$(grep -c '<rect x=' "$dir/kv.svg")" = "$(grep -c '"engine"' "$dir/kv.json")" ] ||
    fail "the plot has another number of bars"
tail -n 1 "$dir/kv.svg" | grep -q '^</svg>$' || fail "the plot is cut"
[ -z "$(find "$dir" -name 'warp-bench.*')" ] || fail "a store was left"

"$bench" recover --records 20000 --updates 30000 --dir "$dir" \
    --json "$dir/recover.json" >"$dir/out" 2>"$dir/err" ||
    fail "recover: $(cat "$dir/out" "$dir/err")"
grep -q '"writes":50000,' "$dir/recover.json" || fail "recover: no 50000 writes"
grep -q '"open_ms":0\.00' "$dir/recover.json" && fail "recover: no time"
"$bench" recover --records 20000 --checkpoint --updates 30000 --partial \
    --dir "$dir" >"$dir/out" 2>"$dir/err" || fail "recover: $(cat "$dir/out" "$dir/err")"

# Text: each engine that compacts tells what a record takes, less than its
# bytes, since they are packed.
"$bench" space --records 3000 --updates 3000 --dir "$dir" --warp "$warp" \
    --json "$dir/space.json" >"$dir/out" 2>"$dir/err" ||
    fail "space: $(cat "$dir/out" "$dir/err")"
grep -q '"name":"warp","bytes_per_record":[0-9]\{3\}\.' "$dir/space.json" ||
    fail "space: $(cat "$dir/space.json")"
grep -q '"write_amplification":0\.0' "$dir/space.json" &&
    fail "space: nothing was written"

"$bench" scale --threads 1,2 --workloads c,h,w --records 2000 --seconds 0.05 \
    --repeat 1 --dir "$dir" --json "$dir/scale.json" >"$dir/out" 2>"$dir/err" ||
    fail "scale: $(cat "$dir/out" "$dir/err")"
[ "$(grep -c ' %' "$dir/out")" = 6 ] || fail "scale: no six efficiencies"
[ "$(grep -c '"futex_calls_per_op"' "$dir/scale.json")" = 6 ] ||
    fail "scale: no six rows"

refuse() {
    status=0
    "$bench" "$@" >"$dir/out" 2>"$dir/err" || status=$?
    [ $status = 2 ] || fail "$*: status $status, wanted 2"
    [ -s "$dir/err" ] || fail "$*: no message"
}
refuse
refuse nonsense
refuse kv --nonsense 1
refuse kv --engines nonsense
refuse kv --engines memtable,memtable
refuse kv --workloads z
refuse kv --threads 0
refuse kv --threads 1,,2
refuse kv --records 12x
refuse kv --records 99999999999999999999
refuse kv --value -5
refuse kv --durability maybe
refuse kv --seconds nan
refuse kv --repeat 1,2
refuse kv --json
refuse kv --plot
refuse recover --records 0
refuse recover --nonsense
refuse space --records 0
refuse space --warp /nonsense
refuse scale --threads 0
refuse scale --workloads z
refuse scale --nonsense
refuse scale --repeat 0

# Kernels: right on the CPU, and the figures have a row for each.
"$bench" compute --check >"$dir/out" || fail "compute: $(cat "$dir/out")"
grep -q ' 0 wrong$' "$dir/out" || fail "compute: no closing line"
if [ -z "${WARP_TEST_SANITIZE:-}" ]; then
    "$bench" compute --json "$dir/compute.json" >"$dir/out" ||
        fail "compute: $(cat "$dir/out")"
    rows=$(grep -o '"kernel"' "$dir/compute.json" | wc -l)
    [ "$rows" = 7 ] || fail "compute: $rows rows"
    "$bench" compute --hot --json "$dir/hot.json" >"$dir/out" ||
        fail "compute --hot: $(cat "$dir/out")"
    grep -q '"batches":[1-9]' "$dir/hot.json" || fail "no batch ran"
fi
refuse compute --device nonsense
refuse compute --nonsense
