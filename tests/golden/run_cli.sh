#!/bin/sh
# warpc gen as builds use it: dependency files, lists of outputs, stale files,
# names, several files in a run, refusals.   run_cli.sh WARPC
set -u
warpc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0

same() { # WHAT WANTED GOT
    if [ "$2" != "$3" ]; then
        printf 'FAIL  %s\nwanted:\n%s\ngot:\n%s\n' "$1" "$2" "$3"
        failed=1
    fi
}
status() { # WANTED COMMAND...
    want=$1
    shift
    "$@" >out 2>&1
    got=$?
    if [ $got != "$want" ]; then
        echo "FAIL  exit $got, wanted $want: $*"
        cat out
        failed=1
    fi
}

mkdir lib "a b"
cat >lib/base.warp <<'W'
defstruct Point do
  x :: f32
end
W
cat >one.warp <<'W'
import "base.warp"
@prefix "one"
defproduct Thing do
  id :: u64
  at :: Point
end
W
sed 's/one/two/' one.warp >two.warp
sed 's/one/odd/' one.warp >"a b/2-odd.warp"

status 0 "$warpc" gen -I lib one.warp -o out.d/deep -MD -MF dep -MP
same "a rule with every file" "out.d/deep/one.warp.h out.d/deep/one.warp.c: one.warp \\
 lib/base.warp

lib/base.warp:" "$(cat dep)"
same "only the file that is named" "one.warp.c
one.warp.h" "$(ls out.d/deep)"
status 0 "$warpc" gen -Ilib one.warp -oout.d -MD -MF dep -MT target
same "a target by name" "target: one.warp \\
 lib/base.warp" "$(cat dep)"
status 0 "$warpc" gen -I lib one.warp two.warp -o each -MD
same "a dependency file for each" "one.warp.c
one.warp.d
one.warp.h
two.warp.c
two.warp.d
two.warp.h" "$(ls each)"
status 0 "$warpc" gen -I lib one.warp two.warp --with-imports -o all
same "an import is written once" "base.warp.c
base.warp.h
one.warp.c
one.warp.h
two.warp.c
two.warp.h" "$(ls all)"
status 0 "$warpc" gen -I lib one.warp two.warp -o all -MD -MF dep
same "two rules in one file" "2" "$(grep -c ':' dep)"

# texts of gpu_raw: beside the schema, a dependency; missing: an error there
mkdir -p sub
printf 'defproduct A do\n id :: u64\n x :: f32, compute: [gpu_raw("a.cl", "a.cu", "f"), cpu(fn)]\nend\n' >sub/raw.warp
status 1 "$warpc" gen sub/raw.warp -o raw
same "a text that is not there" "2" \
    "$("$warpc" gen sub/raw.warp -o raw 2>&1 | grep -c '^sub/raw.warp:3:.*cannot read `sub/a.c[lu]`')"
echo '/* one */' >sub/a.cl
echo '/* two */' >sub/a.cu
status 0 "$warpc" gen sub/raw.warp -o raw -MD -MF raw.d
same "texts in the rule" "2" "$(grep -c 'sub/a.c[lu]' raw.d)"
same "no text of its own is written" "raw.warp.c
raw.warp.h" "$(ls raw)"
same "outputs without reading" "x/new.warp.h
x/new.warp.c
x/new.wsd" "$("$warpc" gen --list-outputs --descriptor new.warp -o x)"
same "outputs with imports" "one.warp.h
one.warp.c
base.warp.h
base.warp.c" "$("$warpc" gen -I lib --list-outputs --with-imports one.warp)"

# stale files
status 0 "$warpc" gen --check -I lib one.warp -o all
echo "/* edited */" >>all/one.warp.h
rm all/one.warp.c
status 1 "$warpc" gen --check -I lib one.warp -o all
same "both are named" 2 "$(grep -c 'W0801' out)"
same "and not written" "no" "$([ -e all/one.warp.c ] && echo yes || echo no)"
status 0 "$warpc" gen -I lib one.warp -o all
status 0 "$warpc" gen --check -I lib one.warp -o all

# a stem that is no identifier
status 1 "$warpc" gen -I lib "a b/2-odd.warp" -o odd
status 0 "$warpc" gen -I lib "a b/2-odd.warp" -o odd --name odd -MD -MF dep
same "the schema has the name" 1 "$(grep -c 'odd_warp_schema;' odd/2-odd.warp.h)"
same "a path with a space" 1 "$(grep -c 'a\\ b/2-odd.warp' dep)"

# a name twice: the second would take the place of the first
mkdir -p twin
sed 's/"one"/"twin"/' one.warp >twin/one.warp
status 1 "$warpc" gen -I lib one.warp twin/one.warp -o twins
same "both are named" 1 "$(grep -c 'twin/one.warp.*twins/one.warp.h.*`one.warp` .W0605' out)"
same "the first is there" 1 "$(grep -c 'struct one_thing {' twins/one.warp.h)"
status 0 "$warpc" gen -I lib one.warp ./one.warp -o twins

# what is no file is not waited for
if mkfifo pipe.warp 2>/dev/null; then
    echo 'import "pipe.warp"' >piped.warp
    status 1 timeout 20 "$warpc" check piped.warp
    same "a pipe is no import" 1 "$(grep -c 'cannot read `pipe.warp`: it is a pipe' out)"
    for verb in check fmt gen explain; do
        status 3 timeout 20 "$warpc" $verb pipe.warp A
    done
    status 3 timeout 20 "$warpc" gen --list-outputs pipe.warp
fi
status 3 "$warpc" check lib
same "a directory is no schema" 1 "$(grep -c 'cannot read `lib`: Is a directory' out)"
echo 'import "lib"' >folder.warp
status 1 "$warpc" check folder.warp
status 0 "$warpc" check -I lib /dev/stdin <two.warp

# refusals leave nothing behind
status 2 "$warpc" gen
status 2 "$warpc" gen one.warp -o
status 2 "$warpc" gen one.warp -MF dep
status 2 "$warpc" gen one.warp two.warp --name x
status 2 "$warpc" gen one.warp --frobnicate
status 2 "$warpc" gen -I lib one.warp -o x --name x-y
same "what a name is" 1 "$(grep -c 'C identifier.*not `x-y`' out)"
status 2 "$warpc" gen -I lib one.warp -o x --name ''
status 3 "$warpc" gen nowhere.warp -o x
status 1 "$warpc" gen one.warp -o x
same "an import that is not found writes nothing" "" "$(ls x)"
: >plain
status 3 "$warpc" gen -I lib one.warp -o plain/sub
if [ "$(id -u)" != 0 ]; then
    mkdir locked && chmod a-w locked
    status 3 "$warpc" gen -I lib one.warp -o locked
    same "nothing half written" "" "$(ls locked)"
fi
mkdir -p taken/one.warp.h
status 3 "$warpc" gen -I lib one.warp -o taken
same "no file beside is left" "one.warp.c
one.warp.h" "$(ls taken)"

# fmt: in place, asked for only, and left alone where it cannot be read
cp one.warp tidy.warp
status 0 "$warpc" fmt tidy.warp
sed 's/  id :: u64/ id   ::   u64/' tidy.warp >crooked.warp
cp crooked.warp before.warp
status 1 "$warpc" fmt --check tidy.warp crooked.warp
same "the file that would change is named" "crooked.warp" "$(cat out)"
cmp -s crooked.warp before.warp || { echo "FAIL  --check writes"; failed=1; }
status 0 "$warpc" fmt crooked.warp tidy.warp
same "it is laid out" "$(cat tidy.warp)" "$(cat crooked.warp)"
status 0 "$warpc" fmt --check crooked.warp
echo 'defproduct do' >broken.warp
cp broken.warp before.warp
status 1 "$warpc" fmt broken.warp
cmp -s broken.warp before.warp || { echo "FAIL  a broken file"; failed=1; }
status 3 "$warpc" fmt nowhere.warp tidy.warp
same "and the one that is not there" 1 "$(grep -c 'cannot read `nowhere.warp`' out)"
status 2 "$warpc" fmt
same "what it needs" 1 "$(grep -c 'which file?' out)"
status 2 "$warpc" fmt --frobnicate tidy.warp
same "an option of another" 1 "$(grep -c 'no such option: `--frobnicate`' out)"
printf 'defproduct A do\n id  :: u64\nend\n' >late.warp
if [ "$(id -u)" != 0 ]; then
    mkdir fixed && cp late.warp fixed && chmod a-w fixed fixed/late.warp
    status 3 "$warpc" fmt fixed/late.warp
    same "and why" 1 "$(grep -c 'cannot write `fixed/late.warp`' out)"
fi

# the same bytes from every directory, and from a default verb
mkdir other && (cd other && "$warpc" -I ../lib ../one.warp -o here)
cmp -s other/here/one.warp.c all/one.warp.c || { echo "FAIL  bytes differ"; failed=1; }
exit $failed
