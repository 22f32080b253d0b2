#!/bin/sh
# What runtime/SECURITY.md says of files: modes whatever the umask, backups that
# point out of their directory, pipes and links in a file's place.
# permissions.sh WARP SCHEMA
set -eu
absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}
warp=$(absolute "$1") schema=$(absolute "$2")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() {
    echo "$1"
    exit 1
}

# exits STATUS COMMAND...: in time
exits() {
    want=$1 status=0
    shift
    timeout -k 1 20 "$@" >out 2>&1 || status=$?
    [ $status = "$want" ] || fail "$* ended with $status: $(cat out)"
}

umask 000
printf '{"code":"%s","number":7,"raw":"AAECAw==","scan":"/////w=="}\n' a b c \
    >in.ndjson
exits 0 "$warp" import --schema "$schema" s Order in.ndjson
exits 0 "$warp" backup s b
exits 0 "$warp" restore b r
exits 0 "$warp" repair s f
for made in s b r f; do
    wide=$(find $made \( -type d ! -perm 700 -o -type f ! -perm 600 \))
    [ -z "$wide" ] || fail "others may read: $wide"
done
umask 022

# A manifest that is sealed, and names files elsewhere.
command -v python3 >/dev/null && for path in ../outside /etc/passwd a/../../b; do
    rm -rf c to && cp -r b c
    python3 - c/backup "$path" <<'PY'
import sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
lines = open(sys.argv[1], "rb").read().splitlines(True)[:-1]
lines.append(b"file 00000000 0 " + sys.argv[2].encode() + b"\n")
text = b"".join(lines)
open(sys.argv[1], "wb").write(text + b"end %08x\n" % crc32c(text))
PY
    exits 1 "$warp" verify c
    exits 1 "$warp" restore c to
    [ ! -e outside ] && [ ! -e b/b ] || fail "$path was written"
done

# A pipe, and a link to nowhere, instead of each file.
(cd s && find . -type f ! -name lock.mdb) >names
while read -r name; do
    rm -rf c && cp -r s c && rm "c/$name" && mkfifo "c/$name"
    timeout -k 1 20 "$warp" verify c >out 2>&1 || [ $? -lt 4 ] ||
        fail "verify with a pipe for $name: $(cat out)"
    timeout -k 1 20 "$warp" export c Order >out 2>&1 || [ $? -lt 4 ] ||
        fail "export with a pipe for $name: $(cat out)"
    rm "c/$name" && ln -s /nowhere/at/all "c/$name"
    timeout -k 1 20 "$warp" verify c >out 2>&1 || [ $? -lt 4 ] ||
        fail "verify with a link for $name: $(cat out)"
done <names
# A target that is a link is what it leads to; it must be empty.
mkdir empty && ln -s empty link && ln -s b full
exits 0 "$warp" restore b link
[ -e empty/store ] || fail "a link is not followed"
exits 1 "$warp" restore b full
echo "permissions, paths, pipes and links: as SECURITY.md says"
