#!/bin/sh
# Files into a C file: a text, its own includes put in place, or bytes.
#   embed.sh text SYMBOL FILE OUTPUT
#   embed.sh bytes SYMBOL FILE|- OUTPUT      "-": none, the size is 0
set -eu
kind=$1 symbol=$2 file=$3 out=$4
array() { od -An -v -tu1 | sed 's/ *\([0-9][0-9]*\)/\1,/g'; }
{
    echo "/* Generated. */"
    echo "#include \"kernels.h\""
    if [ "$kind" = text ]; then
        echo "const char $symbol[] = {"
        dir=$(dirname "$file")
        awk -v dir="$dir" '
            function put(path,   line, name) {
                while ((getline line < path) > 0) {
                    if (line ~ /^#include "/) {
                        name = line
                        sub(/^#include "/, "", name); sub(/".*/, "", name)
                        put(dir "/" name)
                    } else print line
                }
                close(path)
            }
            BEGIN { put(ARGV[1]); exit }' "$file" | array
        echo "0};"
    else
        echo "const unsigned char $symbol[] = {"
        [ "$file" = - ] || array <"$file"
        echo "0};"
        echo "const size_t ${symbol}_bytes = sizeof $symbol - 1;"
    fi
} >"$out"
