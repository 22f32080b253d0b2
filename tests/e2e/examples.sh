#!/bin/sh
# An example as a test.  examples.sh hello|seed|physics|packages PROGRAM [GENERATE]
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
what=$1 program=$(realpath "$2")
scene

case $what in
hello)
    "$program" hello.store >first
    grep -q '^a new player$' first || fail "$(cat first)"
    "$program" hello.store >second
    grep -q '^found: gold 100, at 1 2, 30 bytes of portrait, mood lost$' \
        second || fail "$(cat second)"
    "$program" hello.store >third
    grep -q '^found: gold 200,' third || fail "$(cat third)"
    ;;
seed)
    "$program" seed.store >out || fail "$(cat out)"
    [ "$(grep -c 'yes$' out)" -ge 15 ] || fail "$(cat out)"
    ;;
physics)
    # With and without a device: the same numbers.
    "$program" one.store 30000 >out || fail "$(cat out)"
    grep -q '^0 of 30000 records differ from plain C$' out || fail "$(cat out)"
    grep -Eq '^  pull .* on (cpu|opencl|cuda) ' out || fail "$(cat out)"
    [ "$(grep -c '^  place .*, same city' out)" = 7 ] || fail "$(cat out)"
    grep -Eq '^  place 20: 0\.[0-9]*, used together$' out || fail "$(cat out)"
    env -u LD_LIBRARY_PATH OCL_ICD_VENDORS=none "$program" two.store 30000 \
        >out || fail "$(cat out)"
    grep -q '^0 of 30000 records differ from plain C$' out || fail "$(cat out)"
    ! grep -q ' on opencl ' out || fail "$(cat out)"
    ;;
packages)
    "$3" 3000 >source
    "$program" source packages.store >out || fail "$(cat out)"
    grep -q '^3000 packages in source' out || fail "$(cat out)"
    grep -q '1501 acknowledged before the kill, all there: yes' out ||
        fail "$(cat out)"
    grep -q '^everything is as it was written$' out || fail "$(cat out)"
    [ -z "$(find . -perm /077 -path './packages.store/*' -print -quit)" ] ||
        fail "a file of the store is open to others"
    status=0
    "$program" nowhere packages.store >out 2>&1 || status=$?
    [ $status = 3 ] || fail "a missing source: status $status"
    ;;
*) fail "no example called $what" ;;
esac
