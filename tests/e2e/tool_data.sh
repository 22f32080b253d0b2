#!/bin/sh
# Export and import, all three forms, exactly: what is imported from an export
# exports the same. tool_data.sh WARP SCHEMA
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
warp=$(absolute "$1") schema=$(absolute "$2")
scene

cat >in.ndjson <<'JSON'
{"code":"a","number":18446744073709551615,"delta":-9223372036854775808,"kind":"LARGE","place":{"x":0.1,"y":1e+300,"note":null},"payment":{"tag":"Card","value":{"number":9007199254740993,"expires":1700000000123}},"token":"00112233-4455-6677-8899-aabbccddeeff","tags":["x","y,\"z\"\n"],"counts":{"one":1,"two":2},"extra":{"b":{"$bytes":"AAE="},"f":1.0,"i":1,"l":[null,true,{"k":"v"},{"$float":"NaN"},"NaN",{"$map":{"$float":"NaN"}}],"m":{"$map":{"$bytes":"no"}},"n":{"$float":"-Infinity"},"s":"-Infinity"},"raw":"AAECAw==","scan":"/////w==","history":[{"at":1700000000000,"value":1},{"at":1700000000000,"value":2},{"at":1700000000001,"value":3}]}
{"code":"b \"quoted\", with ümlaut","number":0,"delta":0,"kind":"SMALL","place":{"x":16777216,"y":-0.1,"note":"here"},"payment":{"tag":"Free"},"tags":[],"counts":{},"extra":{}}
{"code":"c"}
JSON
"$warp" import --format ndjson --schema "$schema" one.store Order in.ndjson
"$warp" export --format ndjson one.store Order >one.ndjson
diff in.ndjson one.ndjson || fail "ndjson is not what was imported"

for form in json ndjson csv; do
    "$warp" export --format $form one.store Order >all.$form
    "$warp" import --format $form --schema "$schema" $form.store Order \
        all.$form 2>/dev/null
    "$warp" export --format ndjson $form.store Order >back.ndjson
    diff one.ndjson back.ndjson || fail "$form does not come back"
done

# What is no number of JSON is a float again, not a text.
cat >nan.ndjson <<'JSON'
{"code":"n","place":{"x":"NaN","y":"-Infinity","note":"NaN"},"extra":{"f":{"$float":"Infinity"},"t":"Infinity"}}
JSON
"$warp" import --schema "$schema" nan.store Order nan.ndjson 2>/dev/null
"$warp" export nan.store Order | cmp - nan.ndjson || fail "NaN does not come back"
exits 1 "$warp" import nan.store Order - <<'JSON'
{"code":"o","extra":{"f":{"$float":"x"}}}
JSON

# a mask, a range, a limit
[ "$("$warp" export --fields number --limit 1 one.store Order)" = \
    '{"code":"a","number":18446744073709551615}' ] || fail "mask and limit"
[ "$("$warp" export --from b --fields number one.store Order | wc -l)" = 2 ] ||
    fail "from"
[ "$("$warp" export --to b --fields number one.store Order | wc -l)" = 1 ] ||
    fail "to"
[ "$("$warp" scan one.store Order --prefix 'b ' --json | wc -l)" = 1 ] ||
    fail "prefix"

# A page of records that ends at the empty text is not the last one.
{
    printf '{"code":"","scan":"%s"}\n' \
        "$(head -c 300000 /dev/zero | base64 -w 0)"
    for code in k1 k2 k3; do echo "{\"code\":\"$code\"}"; done
} >empty.ndjson
"$warp" import --schema "$schema" empty.store Order empty.ndjson 2>/dev/null
for call in "export empty.store Order" "scan empty.store Order --json" \
    "dump empty.store"; do
    # shellcheck disable=SC2086 # the words of a call
    [ "$("$warp" $call | wc -l)" = 4 ] || fail "$call loses records"
done

# errors name the line, and nothing of the line is stored
printf '{"code":"d"}\n\n{"code":"e","number":-1}\n' >bad.ndjson
status=0
"$warp" import --format ndjson one.store Order bad.ndjson 2>err || status=$?
[ $status = 1 ] || fail "a bad line: status $status"
grep -q 'bad.ndjson:3: number: the number does not fit u64' err ||
    fail "$(cat err)"
[ "$("$warp" export --fields number one.store Order | wc -l)" = 4 ] ||
    fail "a bad line is stored"
cat >bad.ndjson <<'JSON'
{"code":"e","number":5,"history":[{"at":1,"value":1},{"at":2,"value":"x"}]}
JSON
"$warp" import one.store Order bad.ndjson 2>err && fail "a bad element"
grep -q 'bad.ndjson:1: a number is expected' err || fail "$(cat err)"
grep -q '^0 records' err || fail "counted: $(cat err)"
! "$warp" get one.store Order e >out 2>&1 || fail "a line that is refused is in"
printf 'code,number\nf,1\ng,x\n' >bad.csv
"$warp" import --format csv one.store Order bad.csv 2>err && fail "bad csv"
grep -q 'bad.csv:3: number: a number is expected' err || fail "$(cat err)"

# A file is read by pieces of 4 MiB: records on their borders, one that is longer,
# space that is, and the line of a mistake far behind.
awk 'BEGIN {
    for (i = 100000; i < 180000; i++)
        printf "{\"code\":\"%d\",\"number\":%d,\"tags\":[\"\\\"%d\"]}\n", i, i, i
    printf "{\"code\":\"long\",\"raw\":\""
    for (i = 0; i < 100000; i++)
        printf "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2"
    print "\"}"
    for (i = 0; i < 100000; i++)
        printf "%64s\n", ""
    print "{\"code\":\"z\"}"
}' >long.ndjson
"$warp" import --schema "$schema" long.store Order long.ndjson 2>/dev/null
grep -v '^ *$' long.ndjson | sed 's/"tags":\[\]//' >long.want
"$warp" export --fields code,number,tags,raw long.store Order |
    sed 's/,"tags":\[\]//' >long.back
cmp long.want long.back || fail "a long file does not come back"
for form in json csv; do
    "$warp" export --format $form long.store Order >long.$form
    "$warp" import --format $form --schema "$schema" long$form.store Order - \
        <long.$form 2>/dev/null
    "$warp" export --fields code,number,tags,raw long$form.store Order |
        sed 's/,"tags":\[\]//' | cmp long.back - || fail "long $form"
done
echo '{"code":7}' >>long.ndjson
"$warp" import long.store Order long.ndjson 2>err && fail "a mistake at the end"
grep -q 'long.ndjson:180003: code: text is expected' err || fail "$(cat err)"

# one record
"$warp" get one.store Order c | grep -q '^draft  *(absent)$' || fail "get"
status=0
"$warp" get one.store Order nobody >out 2>&1 || status=$?
[ $status = 1 ] || fail "a missing record: status $status"
status=0
"$warp" get one.store Order >out 2>&1 || status=$?
[ $status = 2 ] || fail "usage: status $status"
status=0
"$warp" get nowhere.store Order c >out 2>&1 || status=$?
[ $status = 3 ] || fail "no store: status $status"
"$warp" explain one.store Order a scan | grep -qi disk || fail "explain"
"$warp" inspect one.store --json | grep -q '"name":"Order"' || fail "inspect"
"$warp" --help | head -1 | grep -q '^Examples' || fail "help"

# What is no call: status 2, the reason, and how it is called.
no_call() { # REASON ARGUMENT...
    reason=$1 status=0
    shift
    "$warp" "$@" >out 2>err || status=$?
    [ $status = 2 ] || fail "warp $*: status $status"
    [ ! -s out ] || fail "warp $*: $(cat out)"
    grep -q "$reason" err || fail "warp $*: $(cat err)"
}
no_call '^Examples'
no_call 'unknown subcommand frob; see warp --help' frob
no_call 'warp get: unknown option --frob' get one.store Order c --frob
no_call 'usage: warp get STORE' get one.store Order c --keep 3
no_call 'warp scan: --limit needs a value' scan one.store Order --limit
no_call 'an argument is missing' verify
no_call 'too many arguments' verify one.store two.store
no_call 'too many arguments' get 1 2 3 4 5 6 7 8 9 10 11 12
"$warp" --version | grep -q '^warp [0-9]' || fail "version"
"$warp" help | head -1 | grep -q '^Examples' || fail "help as a word"
"$warp" get one.store Order --json -- c >with || fail "behind --"
"$warp" get --json one.store Order c | cmp -s - with || fail "an option first"
if [ -w /dev/full ]; then
    status=0
    "$warp" get one.store Order c >/dev/full 2>err || status=$?
    [ $status = 3 ] && grep -q 'cannot write to standard output' err ||
        fail "a full output: $status $(cat err)"
fi
