# shellcheck shell=sh
# What shell tests share; sourced. Sets `dir`, a new folder that is removed at
# the end, and goes there: make paths absolute first.
scene() {
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    cd "$dir" || exit
}

# Paths may be relative to the folder that the test is started in.
absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}

fail() {
    echo "$1"
    exit 1
}

# exits STATUS COMMAND...: runs it, its output in the file `out`.
exits() {
    want=$1
    shift
    status=0
    "$@" >out 2>&1 || status=$?
    [ $status = "$want" ] || fail "$* ended with $status: $(cat out)"
}

# flip FILE OFFSET: changes that byte.
flip() {
    old=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1)
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf '%03o' $((old ^ 4)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
