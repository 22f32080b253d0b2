#!/bin/sh
# A short run finds nothing, and what is planted is found. check.sh WARP_LONG
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/warp_long_XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
mkdir "$dir/sound"
"$1" --dir "$dir/sound" --seconds 20 || status=1
for bug in memory descriptor model; do
    mkdir "$dir/$bug"
    if ! "$1" --dir "$dir/$bug" --seconds 20 --break $bug >"$dir/out" &&
        found=$(grep -E "NOT FLAT|differ|gave" "$dir/out"); then
        echo "long: $bug is found: $found"
    else
        echo "long: $bug is not found"
        cat "$dir/out"
        status=1
    fi
done
exit $status
