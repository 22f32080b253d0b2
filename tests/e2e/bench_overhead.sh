#!/bin/sh
# warp-bench overhead from outside: six pairs by time and, where valgrind is,
# by instructions; a limit that nothing can hold; mistakes end with status 2.
#   bench_overhead.sh WARP-BENCH
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
bench=$(realpath "$1")
scene

# Neither runs under the other.
if [ -n "${WARP_TEST_SANITIZE:-}" ] || ! command -v valgrind >/dev/null; then
    count=--no-count
else
    count=
fi
# shellcheck disable=SC2086 # an option or nothing
"$bench" overhead $count --dir "$dir" --json "$dir/out.json" >"$dir/out" \
    2>"$dir/err" || fail "overhead: $(cat "$dir/out" "$dir/err")"
rows=$(grep -c '"base_ns":[1-9]' "$dir/out.json" || true)
[ "$rows" = 6 ] || fail "$rows rows with a time, wanted 6"
if [ -z "$count" ]; then
    rows=$(grep -c '"other_instructions":[1-9]' "$dir/out.json" || true)
    [ "$rows" = 6 ] || fail "$rows rows with instructions, wanted 6"
    # Counts do not depend on the machine's load, so they are a bar here, too;
    # without optimization they mean nothing.
    if [ "${WARP_TEST_OPTIMIZED:-}" = 1 ]; then
        awk -F'"instructions_percent":' '/instructions_percent/ {
            if ($2 + 0 > 5) { print; bad = 1 } } END { exit bad }' \
            "$dir/out.json" || fail "more than 5 % more instructions"
    fi
fi
status=0
"$bench" overhead --no-count --limit 0.001 --dir "$dir" >"$dir/out" 2>&1 ||
    status=$?
case $status in
0) grep -q '+' "$dir/out" && fail "above the limit, and status 0" ;;
1) grep -q 'above the limit' "$dir/out" || fail "the limit is not told" ;;
*) fail "a limit: status $status" ;;
esac
for wrong in '--limit 0' '--limit x' --limit --nonsense '--side 2'; do
    status=0
    # shellcheck disable=SC2086 # an option and its value
    "$bench" overhead $wrong >"$dir/out" 2>&1 || status=$?
    [ $status = 2 ] || fail "$wrong: status $status, wanted 2"
    [ -s "$dir/out" ] || fail "$wrong: no message"
done
[ -z "$(find "$dir" -name 'warp-bench.*')" ] || fail "a folder was left"
