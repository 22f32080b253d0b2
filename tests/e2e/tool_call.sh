#!/bin/sh
# What is typed: options that go together and that do not, keys, prefixes, files
# that do not fit, help. tool_call.sh WARP SCHEMA
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") schema=$(absolute "$2")
scene

# A store is made only when product, file and schema are there.
echo '{"code":"a","number":1}' >a.ndjson
exits 3 "$warp" import --schema "$schema" s Order none.ndjson
exits 1 "$warp" import --schema "$schema" s None a.ndjson
exits 3 "$warp" import --schema "$schema" s Order .
exits 1 "$warp" import --schema none.warp s Order a.ndjson
[ ! -e s ] || fail "a store for nothing"

# A mark before the first byte, as some editors write it.
printf '\357\273\277{"code":"a","number":1}\n' >mark.ndjson
printf '\357\273\277[{"code":"b"}]' >mark.json
printf '\357\273\277code,number\nc,3\n' >mark.csv
for form in ndjson json csv; do
    exits 0 "$warp" import --format $form --schema "$schema" s Order mark.$form
done
[ "$("$warp" export s Order --fields number | wc -l)" = 3 ] || fail "marks"
printf 'code,number,number\nd,1,2\n' >twice.csv
exits 1 "$warp" import --format csv s Order twice.csv
grep -q 'twice.csv:1: the field number stands there twice' out ||
    fail "a name twice: $(cat out)"

# What is not 0 does not become 0, as what is finite does not become infinite.
for no in 1e-400 -0.001e-400 1e400; do
    echo "{\"code\":\"e\",\"place\":{\"x\":0,\"y\":$no}}" >out.ndjson
    exits 1 "$warp" import s Order out.ndjson
    grep -q 'does not fit f64' out || fail "$no: $(cat out)"
done
echo '{"code":"e","place":{"x":1e-46,"y":0}}' >out.ndjson
exits 1 "$warp" import s Order out.ndjson
grep -q 'does not fit f32' out || fail "1e-46: $(cat out)"
exits 1 "$warp" import s Order - <<'JSON'
{"code":"e","extra":{"x":1e-400}}
JSON
for yes in 5e-324 0e-400 -0.0 0.000; do
    echo "{\"code\":\"f\",\"place\":{\"x\":0,\"y\":$yes}}" >in.ndjson
    exits 0 "$warp" import s Order in.ndjson
done

# --json wherever something is printed
is_json() {
    ! command -v python3 >/dev/null || python3 -m json.tool "$1" >/dev/null
}
for call in "stat s" "metrics s" "checkpoint s" "plot placement s" \
    "plot heat s" "export s Order" "verify s" "devices s" "clock s" \
    "inspect s" "advise s" "compact s" "migrate s" "backup s b"; do
    # shellcheck disable=SC2086 # the words of a call
    "$warp" $call --json >out || fail "$call: $(cat out)"
    is_json out || fail "$call --json: $(cat out)"
done
"$warp" metrics s --json | grep -q "\"warp_records\":4" || fail "metrics"
exits 2 "$warp" export --json --format csv s Order
grep -q 'name one of them' out || fail "json and csv: $(cat out)"
exits 0 "$warp" export --json --format json s Order

# Keys of two fields, and of bytes.
cat >keys.warp <<'WARP'
@prefix "k"
defproduct Two do
  a :: u32, key: true
  b :: string, key: true
  v :: u8
end
defproduct Raw do
  id :: bytes, key: true
  v :: u8
end
WARP
echo '{"a":1,"b":"x","v":2}' | "$warp" import --schema keys.warp k Two - 2>out
exits 0 "$warp" get k Two '{"a":1,"b":"x"}'
exits 0 "$warp" get k Two ' {"b":"x","a":1} '
for no in '{"a":1,"b":"x"} junk' '{"a":1,"b":"x","c":1}' '{"a":1}' \
    '{"a":1,"c":"x"}' '{"a":1,"b":"x"}}' 1; do
    exits 1 "$warp" get k Two "$no"
    grep -q 'key' out || fail "$no: $(cat out)"
done
printf '{"id":"AAEC","v":1}\n{"id":"AAH/","v":2}\n{"id":"AQEC","v":3}\n' |
    "$warp" import k Raw - 2>out
[ "$("$warp" scan k Raw --prefix AAE= --json | wc -l)" = 2 ] || fail "prefix"
exits 2 "$warp" scan k Raw --prefix '%'
grep -q 'prefix of a key of bytes: ' out || fail "prefix: $(cat out)"

# help of one subcommand
"$warp" scan --help >out
grep -q '^usage: warp scan' out || fail "$(cat out)"
grep -q -- --prefix out || fail "$(cat out)"
! grep -q -- '--keep\|backup' out || fail "$(cat out)"
"$warp" help restore | grep -q 'POSITION|TIME' || fail "help restore"
"$warp" restore --help | grep -q 'What lies outside' || fail "restore --help"
"$warp" --help | grep -q 'warp restore' || fail "--help"
