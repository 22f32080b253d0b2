#!/bin/sh
# What warpc writes, compared with what is expected: every folder gen_* holds
# schema.warp and the files that come out of it. The output must also compile
# without a warning, as C11 and (headers) as C++17, with each compiler there is.
#   run_gen.sh WARPC INCLUDE_DIR            compares
#   run_gen.sh WARPC INCLUDE_DIR --update   takes what comes out as expected
set -u
here=$(cd "$(dirname "$0")" && pwd)
warpc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
include=$2 update=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
# -O2: an optimizer must not drop the symbol of the ABI.
warnings="-O2 -Wall -Wextra -Wconversion -Wpedantic -Wshadow -Werror"

complain() {
    echo "FAIL  $1"
    failed=1
}

for folder in "$here"/gen_*; do
    name=$(basename "$folder")
    out=$work/$name
    if ! (cd "$folder" && "$warpc" gen --with-imports schema.warp -o "$out"); then
        complain "$name: warpc refuses it"
        continue
    fi
    for file in "$out"/*; do
        base=$(basename "$file")
        [ "$update" = --update ] && cp "$file" "$folder/$base"
        diff -u "$folder/$base" "$file" >"$work/diff" 2>&1 || {
            complain "$name/$base is not what is expected"
            head -40 "$work/diff"
        }
    done
    for cc in gcc clang; do
        command -v $cc >/dev/null || continue
        for file in "$out"/*.c; do
            $cc -std=c11 $warnings -I"$out" -I"$include" -c "$file" \
                -o "$work/x.o" || complain "$name: $(basename "$file") as C11 ($cc)"
            # what makes a stale file fail at link
            nm "$work/x.o" | grep -q 'U warp_gen_abi_[0-9]' ||
                complain "$name: $(basename "$file") does not name its ABI ($cc)"
        done
    done
    for cxx in g++ clang++; do
        command -v $cxx >/dev/null || continue
        printf '#include "schema.warp.h"\nint main() { return 0; }\n' >"$work/x.cc"
        $cxx -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$out" -I"$include" \
            -c "$work/x.cc" -o "$work/x.o" || complain "$name: header as C++17 ($cxx)"
    done
    for file in "$out"/*.cl; do
        [ -f "$file" ] && command -v clang >/dev/null || continue
        clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -Wall \
            -Werror -fsyntax-only "$file" ||
            complain "$name: $(basename "$file") as OpenCL C"
    done
    for file in "$out"/*.cu; do
        [ -f "$file" ] && command -v nvcc >/dev/null || continue
        nvcc -ptx "$file" -o "$work/x.ptx" >"$work/nvcc" 2>&1 || {
            complain "$name: $(basename "$file") as CUDA"
            cat "$work/nvcc"
        }
    done
    # again: nothing is rewritten, and --check agrees
    touch -d 2001-01-01 "$out"/*
    (cd "$folder" && "$warpc" gen --with-imports schema.warp -o "$out" &&
        "$warpc" gen --check schema.warp -o "$out") || complain "$name: a second run"
    [ -z "$(find "$out" -newermt 2001-01-02 -type f)" ] ||
        complain "$name: an unchanged file was rewritten"
done

# What a C compiler says of a call that is wrong: the function, and the line of
# the field in the generated header; and of one that is deprecated.
cat >"$work/wrong.c" <<'END'
#include "schema.warp.h"
int wrong(struct warp_db *db);
int wrong(struct warp_db *db) { return game_entity_set_pos(db, 1, 2); }
END
cat >"$work/old.c" <<'END'
#include "schema.warp.h"
int old(struct warp_db *db);
int old(struct warp_db *db)
{
    return http_user2_set_old_score(db, warp_str("a"), 2);
}
END
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    $cc -std=c11 -I"$work/gen_entity" -I"$include" -fsyntax-only \
        "$work/wrong.c" 2>"$work/said" &&
        complain "a wrong call is compiled ($cc)"
    for word in game_entity_set_pos 'struct game_vec3' \
        'schema.warp.h:[0-9]*:[0-9]*: note' 'WARP_GEN_SET(3, pos'; do
        grep -q "$word" "$work/said" ||
            complain "$cc does not say $word: $(cat "$work/said")"
    done
    $cc -std=c11 -I"$work/gen_plain" -I"$include" -fsyntax-only -Werror \
        "$work/old.c" 2>"$work/said" &&
        complain "a deprecated call is compiled without a warning ($cc)"
    grep -q "http_user2_set_old_score.*deprecated" "$work/said" ||
        complain "deprecated, $cc: $(cat "$work/said")"
done
exit $failed
