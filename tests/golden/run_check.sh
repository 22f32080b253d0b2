#!/bin/sh
# What warpc says and means, compared with what is expected:
#   bad/NAME.warp    -> bad/NAME.txt      every message, and exit status 1
#   model/NAME.warp  -> model/NAME.model  the resolved model, without an error
#   said/NAME.txt    its first line is a command, the rest what it prints
#   fmt/NAME.warp    -> fmt/NAME.out      the layout; laid out again, the same
# A first line `# options: …` gives options to warpc. Every number of diag.def
# below 800 must be in one of the texts.
#   run_check.sh WARPC            compares
#   run_check.sh WARPC --update   takes what comes out as expected
set -u
here=$(cd "$(dirname "$0")" && pwd)
warpc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
update=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "FAIL  $1"
    failed=1
}

# compare EXPECTED GOT NAME
compare() {
    if [ "$update" = --update ]; then
        cp "$2" "$1"
    elif ! diff -u "$1" "$2" >"$work/diff" 2>&1; then
        complain "$3"
        head -60 "$work/diff"
    fi
}

options() {
    sed -n '1s/^# options: //p' "$1"
}

cd "$here/bad" || exit 1
for file in *.warp; do
    # shellcheck disable=SC2046
    "$warpc" check -I include $(options "$file") "$file" >"$work/out" 2>&1
    rc=$?
    [ $rc = 1 ] || complain "bad/$file: exit status $rc, not 1"
    compare "${file%.warp}.txt" "$work/out" "bad/$file"
done

# What no file kept here can hold: made now, and refused by number.
made() { # NAME NUMBER
    timeout 20 "$warpc" check "$work/$1" >"$work/out" 2>&1
    rc=$?
    if [ $rc != 1 ] || ! grep -q "\[W$2" "$work/out"; then
        complain "made/$1: exit status $rc, wanted 1 with W$2"
        head -5 "$work/out"
    fi
    grep "\[W$2" "$work/out" >>"$work/made.txt"
}
printf 'defproduct A do\n  id :: u64\n\0end\n' >"$work/nul.warp"
made nul.warp 0101
printf 'defproduct A do\n  # \377\nend\n' >"$work/latin.warp"
made latin.warp 0101
head -c 100000000 /dev/zero | tr '\0' '#' >"$work/huge.warp"
made huge.warp 0604
rm "$work/huge.warp"
i=0
while [ $i -lt 70 ]; do
    echo "import \"chain$((i + 1)).warp\"" >"$work/chain$i.warp"
    i=$((i + 1))
done
: >"$work/chain70.warp"
made chain0.warp 0604
for bracket in '[' '(' '%{a: ' 'map<u8, ' '- ' '!' 'f('; do
    awk -v b="$bracket" 'BEGIN {
        printf "defproduct A do\n  id :: u64\n  x :: f32, formula: "
        for (i = 0; i < 10000; i++) printf "%s", b }' >"$work/deep.warp"
    made deep.warp 01
done
head -c 200000 /dev/urandom >"$work/noise.warp"
made noise.warp 01
"$warpc" check "$work/nowhere.warp" >/dev/null 2>&1
[ $? = 3 ] || complain "a missing file is not exit status 3"
"$warpc" check --nonsense >/dev/null 2>&1
[ $? = 2 ] || complain "bad usage is not exit status 2"

for number in $(sed -n 's/^DIAG(\([0-7][0-9][0-9]\),.*LEVEL_ERROR.*/\1/p' \
    "$here/../../compiler/diag.def"); do
    grep -q "\[W0$number\]" ./*.txt "$work/made.txt" || complain "no test shows W0$number"
done

cd "$here/model" || exit 1
for file in *.warp; do
    # shellcheck disable=SC2046
    "$warpc" check --dump-model -I include $(options "$file") "$file" \
        >"$work/out" 2>"$work/err" || {
        complain "model/$file: refused"
        head -20 "$work/err"
    }
    cat "$work/err" >>"$work/out"
    compare "${file%.warp}.model" "$work/out" "model/$file"
done

cd "$here/said" || exit 1
# said/NAME: its first line is the command, the rest what it prints
for file in *.txt; do
    command=$(sed -n '1s/^\$ warpc //p' "$file")
    sed -n 1p "$file" >"$work/out"
    # shellcheck disable=SC2086
    "$warpc" $command >>"$work/out" 2>&1
    compare "$file" "$work/out" "said/$file"
done

cd "$here/fmt" || exit 1
for file in *.warp; do
    cp "$file" "$work/$file"
    (cd "$work" && "$warpc" fmt "$file") || complain "fmt/$file: refused"
    compare "${file%.warp}.out" "$work/$file" "fmt/$file"
    cp "$work/$file" "$work/again"
    (cd "$work" && "$warpc" fmt "$file" && "$warpc" fmt --check "$file") ||
        complain "fmt/$file: its own layout is not accepted"
    cmp "$work/$file" "$work/again" || complain "fmt/$file: not stable"
    # the meaning is the same
    for text in "$here/fmt/$file" "$work/$file"; do
        cp "$text" "$work/same.warp"
        (cd "$work" && "$warpc" check --dump-model same.warp 2>/dev/null)
    done >"$work/models"
    awk '{ line[NR] = $0 }
        END { for (i = 1; i <= NR / 2; i++)
                  if (line[i] != line[i + NR / 2]) exit 1
              exit NR == 0 || NR % 2 }' "$work/models" ||
        complain "fmt/$file: another meaning"
done
[ "$failed" = 0 ] && echo "ok"
exit $failed
