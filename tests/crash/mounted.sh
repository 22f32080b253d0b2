#!/bin/sh
# A store on a file system that is full, and on one that is mounted read-only;
# one whose archive is on such a one.
# mounted.sh SMALL WARP SCHEMA ARCHIVED: mounts in a namespace of its own.
set -eu
absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}
if [ "${INSIDE:-}" = '' ]; then
    set -- "$(absolute "$1")" "$(absolute "$2")" "$(absolute "$3")" \
        "$(absolute "$4")"
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    if ! unshare -rm mount -t tmpfs none "$dir" 2>/dev/null; then
        echo "no file system may be mounted here (unshare -rm)"
        exit 77
    fi
    INSIDE=$dir unshare -rm "$0" "$@"
    exit
fi
small=$1 warp=$2 schema=$3 archived=$4

fail() {
    echo "$1"
    exit 1
}

# refused STATUS WORD COMMAND...: with that status, and a message that says it
refused() {
    wanted=$1 word=$2 status=0
    shift 2
    "$@" >out 2>err || status=$?
    [ $status = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat err)"
    grep -qi "$word" err || fail "$*: does not say $word: $(cat err)"
}

mount -t tmpfs -o size=64m none "$INSIDE"
"$small" "$INSIDE" "${ROUNDS:-4}"
umount "$INSIDE"

cd "$INSIDE"/..
mount -t tmpfs -o size=64m none "$INSIDE"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
store=$INSIDE/a.store
printf '{"code":"%s","number":7}\n' a b c >in.ndjson
"$warp" import --schema "$schema" "$store" Order in.ndjson 2>/dev/null
"$warp" backup "$store" "$INSIDE/a.backup" >/dev/null
"$warp" export "$store" Order >before
find "$INSIDE" -type f -exec cksum {} + | sort >sums
mount -o remount,ro none "$INSIDE"

"$warp" verify "$store" >/dev/null || fail "verify on a read-only mount"
"$warp" verify "$INSIDE/a.backup" >/dev/null || fail "verify of the backup"
"$warp" export "$store" Order >after || fail "export on a read-only mount"
diff before after || fail "another export"
"$warp" get "$store" Order b >/dev/null || fail "get on a read-only mount"
"$warp" stat "$store" >/dev/null || fail "stat on a read-only mount"
"$warp" restore "$INSIDE/a.backup" "$work/b.store" >/dev/null ||
    fail "restore from a read-only mount"
refused 3 'read-only' "$warp" import "$store" Order in.ndjson
refused 3 'read-only' "$warp" compact "$store"
refused 3 'read-only' "$warp" migrate "$store"
refused 3 'read-only' "$warp" restore "$INSIDE/a.backup" "$INSIDE/b.store"

mount -o remount,rw none "$INSIDE"
find "$INSIDE" -type f -exec cksum {} + | sort >sums.after
diff sums sums.after || fail "a read-only mount was written to"
printf '{"code":"d","number":8}\n' >more.ndjson
"$warp" import "$store" Order more.ndjson 2>/dev/null ||
    fail "import after the mount can be written again"
[ "$("$warp" export "$store" Order | wc -l)" = 4 ] || fail "not all is there"

# The archive alone cannot be written: nothing goes there, and nothing is lost.
store=$work/far.store far=$INSIDE/archive
mkdir "$far"
"$archived" "$store" "$far" 0 1000 || fail "a series"
"$warp" migrate "$store" >/dev/null || fail "migrate"
[ "$(find "$far" -name '*.wseg' | wc -l)" -ge 1 ] || fail "no archive was made"
rm "$(find "$far" -name of-store)" || fail "the archive does not say whose it is"
find "$far" -type f -exec cksum {} + | sort >sums
mount -o remount,ro none "$INSIDE"
"$archived" "$store" "$far" 1000 10 || fail "an archive mounted read-only"
refused 3 'read-only' "$warp" migrate "$store"
"$archived" "$store" "$far" 1010 10 || fail "after a move that failed"
"$warp" verify "$store" >/dev/null || fail "verify, its archive read-only"
find "$far" -type f -exec cksum {} + | sort >sums.after
diff sums sums.after || fail "a read-only archive was written to"
mount -o remount,rw none "$INSIDE"
"$warp" migrate "$store" >/dev/null || fail "migrate after the remount"
find "$far" -type f -exec cksum {} + | sort | cmp -s sums - &&
    fail "nothing went to the archive"
"$archived" "$store" "$far" 1020 0 || fail "after the remount"
echo "full and read-only file systems: as promised"
