#!/bin/sh
# warp-bench placement from outside: a small trace, plain and packed, gives the
# same figures; the JSON has a row for each policy; mistakes end with a status.
#   placement.sh WARP-BENCH
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
bench=$(realpath "$1")
scene

# Half a loop, half skewed; sizes in the second file.
awk 'BEGIN {
    print "time_s,key_u64,size,op"
    for (i = 0; i < 20000; i++) {
        x = (x * 1103515245 + 12345) % 2147483648
        y = x / 2147483648
        printf "%d,%d,1,%s\n", i / 1000,
            i % 2 ? i % 600 : 1000 + int(2000 * y * y * y), i % 9 ? "r" : "w"
    }
}' >even.csv
awk -F, 'NR > 1 {$3 = 1 + $2 % 50} 1' OFS=, even.csv >sized.csv

names="hash lru lfu arc lirs s3fifo sieve wtinylfu lhd engine optimum"
for trace in even sized; do
    "$bench" placement --trace $trace.csv --capacity 1,10,50 \
        --json $trace.json --plot $trace.svg >$trace.txt || fail "$trace"
    for name in $names; do
        rows=$(grep -c "\"name\":\"$name\"" $trace.json || true)
        [ "$rows" = 3 ] || fail "$trace: $name: $rows rows"
    done
    for field in capacity_pct miss_ratio latency_us gap_closed accuracy \
        regret moves ns_per_request; do
        [ "$(grep -c "\"$field\":" $trace.json)" = 33 ] || fail "$field"
    done
    [ "$(grep -c '<polyline' $trace.svg)" = 11 ] || fail "$trace: the plot"
done
if command -v python3 >/dev/null; then
    python3 -m json.tool even.json >/dev/null || fail "the JSON does not parse"
fi

# Sizes that do not count are as good as none.
figures() {
    awk '$1 ~ /^[0-9]+$/ {NF--; print}' "$1"
}
"$bench" placement --trace sized.csv --unit >unit.txt
[ "$(figures unit.txt)" = "$(figures even.txt)" ] || fail "--unit"

"$bench" placement --trace even.csv --policies lru --cost >cost.txt
[ "$(grep -c '^engine at .* bytes per object' cost.txt)" = 3 ] || fail "--cost"

# Packed, and packed but cut short.
for tool in gzip xz; do
    command -v $tool >/dev/null || continue
    $tool -c even.csv >even.$tool
    head -c 5000 even.$tool >cut
    if "$bench" placement --trace even.$tool >packed.txt 2>err; then
        [ "$(figures packed.txt)" = "$(figures even.txt)" ] || fail "$tool"
        cat even.$tool even.$tool >twice
        # Its second head is a line that is none.
        ! "$bench" placement --trace twice 2>err || fail "$tool: twice"
        grep -q 'line 20002' err || fail "$tool: twice: $(cat err)"
        ! "$bench" placement --trace cut 2>err >/dev/null || fail "$tool: cut"
        grep -q 'cut short' err || fail "$tool: cut: $(cat err)"
    else
        grep -q "no .*: give it plain" err || fail "$tool: $(cat err)"
    fi
done

# status WANTED TEXT OPTIONS...
status() {
    wanted=$1 text=$2 got=0
    shift 2
    "$bench" placement "$@" >out 2>err || got=$?
    [ $got = "$wanted" ] || fail "$*: $got, not $wanted"
    grep -q -- "$text" err || fail "$*: $(cat err)"
}
status 2 'a file is wanted'
status 2 'no such option' --trace even.csv --colour red
status 2 'no such policy' --trace even.csv --policies lru,magic
status 2 'named twice' --trace even.csv --policies lru,lru
status 2 'over 0 up to 100' --trace even.csv --capacity 0
status 2 'over 0 up to 100' --trace even.csv --capacity 10,,20
status 2 'three times' --trace even.csv --latency 3,2,1
status 2 'whole number' --trace even.csv --seeds 1.5
status 3 'No such file' --trace none.csv
status 3 'cannot be written' --trace even.csv --policies lru --json no/x.json
"$bench" placement --help | head -n 1 | grep -q '^  warp-bench' || fail "help"
