#!/bin/sh
# An installed copy: what lands where, and whether a program that knows only
# pkg-config builds against it and runs, from C and from C++, shared and static.
#   install.sh SOURCE-ROOT
set -eu
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/scene.sh"
source=$1
[ -z "${WARP_TEST_SANITIZE:-}" ] || {
    echo "an instrumented copy is not installed"
    exit 77
}
scene

# A build of its own, because the prefix is fixed when it is set up; it takes
# nothing but compiling, and no tests.
meson setup "$dir/build" "$source" --prefix "$dir/inst" --libdir lib \
    -Dtests=disabled -Dbench=disabled -Dexamples=disabled >"$dir/log" 2>&1 &&
    meson install -C "$dir/build" >>"$dir/log" 2>&1 ||
    fail "$(tail -n 20 "$dir/log")"
for file in bin/warpc bin/warp include/warp/warp.h include/warp/calls.h \
    include/warp/gen.h lib/libwarp.so \
    lib/libwarp.a lib/pkgconfig/warp.pc; do
    [ -e "$dir/inst/$file" ] || fail "not installed: $file"
done
[ "$(cd "$dir/inst/include/warp" && echo ./*.h)" = "./calls.h ./gen.h ./version.h ./warp.h" ] ||
    fail "other headers are installed: $(ls "$dir/inst/include/warp")"

PKG_CONFIG_PATH=$dir/inst/lib/pkgconfig
LD_LIBRARY_PATH=$dir/inst/lib
export PKG_CONFIG_PATH LD_LIBRARY_PATH
warpc=$(pkg-config --variable=warpc warp)
[ -x "$warpc" ] || fail "warp.pc names no warpc: $warpc"
cd "$dir"
cp "$source/examples/01_hello/hello.warp" "$source/examples/01_hello/main.c" .
"$warpc" gen hello.warp -o .

# flags ARGUMENTS...: what pkg-config says
flags() { pkg-config "$@" warp; }
# shellcheck disable=SC2046 # options, to be split
{
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror $(flags --cflags) \
        -o shared main.c hello.warp.c $(flags --libs)
    cc -std=c11 $(flags --cflags) -o static main.c hello.warp.c \
        "$dir/inst/lib/libwarp.a" \
        $(flags --static --libs | sed 's/-lwarp //')
    printf '%s\n' '#include "hello.warp.h"' \
        'int main() { hello_player p{}; return static_cast<int>(p.have); }' \
        >other.cc
    c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror $(flags --cflags) \
        -o other other.cc
}
./shared one.store | grep -q 'new player' || fail "the shared library"
./shared one.store | grep -q 'gold 100' || fail "the shared library, again"
LD_LIBRARY_PATH='' ./static one.store | grep -q 'gold 200' ||
    fail "the static library"
./other
# The README's own example, copied from it.
mkdir readme
awk -v dir=readme '
    /^```elixir$/ && !schema { out = dir "/hello.warp"; schema = 1; next }
    /^```c$/ && !code { out = dir "/main.c"; code = 1; next }
    /^```/ { out = "" }
    out != "" { print >out }' "$source/README.md"
cd readme
"$warpc" gen hello.warp -o .
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -o hello main.c hello.warp.c \
    $(flags --cflags --libs)
[ "$(./hello)" = "gold: 100" ] || fail "the example of the README"
[ "$(./hello)" = "gold: 200" ] || fail "the example of the README, again"

# Nothing but the public names leaves the library.
names=$(nm -D --defined-only "$dir/inst/lib/libwarp.so" |
    awk '$2 != "A" {print $3}' | grep -v '^warp_' || true)
[ -z "$names" ] || fail "names that are not ours to give: $names"
