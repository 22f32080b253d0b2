#!/bin/sh
# warp-bench compiler from outside: figures for warpc, a limit that holds and
# one that does not, mistakes that end with status 2.
#   bench_compiler.sh WARP-BENCH WARPC INCLUDE-FLAGS
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
bench=$(realpath "$1")
warpc=$(realpath "$2")
flags=$3
scene
# The bench traces warpc, and a leak check cannot run under a tracer.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

"$bench" compiler --help | head -n 1 | grep -q '^  warp-bench compiler' ||
    fail "the help does not begin with examples"
"$bench" compiler --warpc "$warpc" --products 40 --repeat 3 --dir "$dir" \
    --limit-ms 60000 --json "$dir/out.json" --cc "$flags" >"$dir/out" 2>&1 ||
    fail "compiler: $(cat "$dir/out")"
row=$(grep '"name":"warpc"' "$dir/out.json") || fail "no row of warpc"
echo "$row" | grep -q '"median_ms":0\.00' && fail "no time was taken"
for what in median_ms text_bytes cc_ms_per_product code_bytes_per_product; do
    echo "$row" | grep -q "\"$what\":[1-9]" || fail "$what: $row"
done
# Bytes of text are those of the files that warpc writes.
"$bench" compiler --warpc "$warpc" --products 80 --repeat 1 \
    --json "$dir/two.json" >"$dir/out" 2>&1 || fail "80: $(cat "$dir/out")"
bytes() { sed -n 's/.*"name":"warpc".*"text_bytes":\([0-9]*\).*/\1/p' "$1"; }
[ "$(bytes "$dir/two.json")" -gt "$(($(bytes "$dir/out.json") * 3 / 2))" ] ||
    fail "twice the products, not much more text"
status=0
"$bench" compiler --warpc "$warpc" --products 40 --repeat 1 --limit-ms 0.01 \
    >"$dir/out" 2>&1 || status=$?
[ $status = 1 ] || fail "above the limit: status $status, wanted 1"
grep -q 'longer than the limit' "$dir/out" || fail "the limit is not told"
status=0
"$bench" compiler --warpc /bin/false --products 4 --repeat 1 \
    >"$dir/out" 2>&1 || status=$?
[ $status = 1 ] || fail "a warpc that fails: status $status, wanted 1"
for wrong in '--products 0' '--products x' '--repeat 1.5' --nonsense \
    '--limit-ms nan' --json; do
    status=0
    # shellcheck disable=SC2086 # an option and its value
    "$bench" compiler $wrong >"$dir/out" 2>&1 || status=$?
    [ $status = 2 ] || fail "$wrong: status $status, wanted 2"
    [ -s "$dir/out" ] || fail "$wrong: no message"
done
[ -z "$(find "$dir" -name 'warp-bench.*')" ] || fail "a folder was left"
