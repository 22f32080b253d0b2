# Reads every file of the tree and prints "file:line: rule: text" for each
# breach of the house's style. The rules that need only one line stand in the
# order of the file; what needs a whole file is checked at its end.
# Portable awk: no interval expressions, no word boundaries.

BEGIN {
    while ((getline line < LIST) > 0) tree[line] = 1
    while ((getline line < RANKS) > 0) {
        if (line ~ /^#/ || line == "") continue
        rank++
        n = split(line, words, " ")
        for (i = 1; i <= n; i++) { pattern[++patterns] = words[i]; rank_of_pattern[patterns] = rank }
    }
    # The longest file and function, in lines; style.md asks for about 600
    # and 70.
    LINES_MAX = 700
    FUNCTION_MAX = 100
    # These words promise work for later; written so that this file passes.
    PROMISE = "(^|[^A-Za-z_])(TO" "DO|FIX" "ME|XX" "X|HA" "CK)([^A-Za-z_]|$)"
    OWN_ROOTS = "^/(usr|bin|sbin|lib|etc|tmp|var|dev|proc|sys|run|boot)/"
}

function say(rule, text) { printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, text; bad = 1 }

function base(path) { sub(/^.*\//, "", path); return path }
function stem(path) { path = base(path); sub(/\.[^.]*$/, "", path); return path }

function matches(name, pat) {
    if (pat ~ /\*$/) return index(name, substr(pat, 1, length(pat) - 1)) == 1
    return name == pat
}

# A file with its ending first, then the exact names, then the families, the
# longest one.
function rank_of(name, ending,    i, best, length_of_best) {
    for (i = 1; i <= patterns; i++)
        if (pattern[i] == name "." ending) return rank_of_pattern[i]
    best = 0; length_of_best = -1
    for (i = 1; i <= patterns; i++)
        if (matches(name, pattern[i]) && (pattern[i] == name || length(pattern[i]) > length_of_best)) {
            best = rank_of_pattern[i]
            if (pattern[i] == name) return best
            length_of_best = length(pattern[i])
        }
    return best
}

function room_of(path) { return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "" }

function is_vendor(header) {
    return !quoted && header ~ /^(lmdb|lz4|lz4hc|lz4frame|zstd|db|sqlite3|wiredtiger)\.h$/ ||
           header ~ /^(curl|CL|rocksdb|leveldb|foundationdb)\// ||
           header ~ /^cuda/
}

function is_system(header) { return header == "unistd.h" || header ~ /^sys\// }

# ---- a new file
FNR == 1 {
    end_of_file()
    file = FILENAME; room = room_of(file); lines = 0; opened = 0
    name = stem(file); ext = file; sub(/^.*\./, "", ext)
    is_c = ext ~ /^(c|h|l|y|cu|cl)$/
    is_data = file ~ /^tests\/(data|golden)\//
    if (name ~ /^(util|utils|common|helper|helpers|misc)$/)
        say("name", "a file is named after what it does, not " name)
    if (is_c && !is_data && $0 !~ /^\/\*/)
        say("head", "a file begins with a comment that says what it does")
}
{ lines++; last_file = file }

# ---- any text file
$0 ~ PROMISE && file !~ /^tests\/tidy\// { say("promise", "work for later: " $0) }
(is_c || ext == "md" || ext == "build") && !is_data {
    rest = $0
    while (match(rest, /(^|[ "'`=(])\/[a-z0-9_]+\/[a-zA-Z0-9_.]/)) {
        path = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/^[^\/]/, "", path)
        if (path !~ OWN_ROOTS && path !~ /^\/(compiler|runtime|kernels|grammar|examples|tests)\//)
            say("machine", "a path of one machine: " path)
    }
}
is_data { next }
is_c && /[Cc]opyright|SPDX-/ { say("vendor", "code of others is not copied here") }
is_c && /\t/ { say("tab", "four spaces, no tabs") }
is_c && length($0) > 80 && $0 !~ /https?:\/\// && ext != "y" && ext != "l" {
    # awk may count bytes: letters beyond ASCII are two or three of them.
    plain = $0; gsub(/[\200-\277]/, "", plain)
    if (length(plain) > 80) say("width", length(plain) " columns; 80 are allowed")
}
is_c && /^typedef struct/ && room != "tests" { say("typedef", "structs go without typedef") }

# ---- functions: a brace alone in column one opens, the next one closes
is_c && /^\{/ { opened = FNR }
is_c && /^\}/ && opened {
    if (FNR - opened > FUNCTION_MAX)
        say("function", (FNR - opened) " lines; " FUNCTION_MAX " at most")
    opened = 0
}

# ---- exits and prints
room == "compiler" && ext == "c" && name != "main" && /(^|[^A-Za-z0-9_.>])_?exit\(/ {
    say("exit", "only main.c of the compiler exits")
}
room == "runtime" && ext == "c" && file !~ /^runtime\/tool\// {
    if ($0 ~ /(^|[^A-Za-z0-9_.>])(_?exit|abort)\(/ && name !~ /^error/)
        say("exit", "library code never exits")
    if ($0 ~ /(^|[^A-Za-z0-9_.>])(printf|puts|putchar|perror)\(/ || $0 ~ /fprintf\((stderr|stdout)/)
        say("print", "library code never prints")
}

# ---- includes
is_c && /^[ ]*#[ ]*include/ {
    header = $0
    quoted = header ~ /"/
    sub(/^[^"<]*["<]/, "", header); sub(/[">].*$/, "", header)
    check_include()
}

function check_include(    target) {
    target = stem(header)
    if (is_vendor(header)) {
        if (ext == "h") say("vendor-header", header " in a header reaches everybody")
        vendor_files[room, header] = vendor_files[room, header] " " file
        vendor_count[room, header]++
    }
    if (is_system(header)) {
        if (room == "runtime" && name !~ /^os/ && file !~ /^runtime\/tool\//)
            say("system-header", "<" header "> belongs in os*.c")
        if (room == "compiler" && name !~ /^(main|source|output|emit|write|explain)/)
            say("system-header", "<" header "> belongs where files are read and written")
    }
    if (room == "grammar" && quoted && ("compiler/" base(header)) in tree &&
        target !~ /^(ast|diag|source|parse|arena|atom)$/)
        say("rooms", "grammar may include the compiler's ast, diag, source")
    if (room == "compiler" && (header ~ /^warp\// || quoted && in_room("runtime") && !in_room("compiler") && !in_room("grammar")))
        say("rooms", "the compiler never includes the runtime's " header)
    if (room == "runtime" && quoted && in_room("compiler") && !in_room("runtime") && !in_room("grammar"))
        say("rooms", "the runtime never includes the compiler's " header)
    if (room == "kernels" && (header ~ /^warp\// || quoted && !in_room("kernels") && (in_room("runtime") || in_room("compiler") || in_room("grammar"))))
        say("rooms", "kernels include nothing of ours: " header)
    if (room == "examples") {
        if (header ~ /^warp\// && header != "warp/warp.h") say("rooms", "an example includes <warp/warp.h> only, not " header)
        if (quoted && header !~ /\.warp\.h$/ && !(dir_of(file) header in tree))
            say("rooms", "an example includes generated headers only, not " header)
    }
    if (room == "compiler" && name ~ /^emit/ && header == "ast.h")
        say("passes", "an emit file knows the model, never the AST")
    if ((room == "compiler" && name ~ /^parse/ || room == "grammar") && header == "model.h")
        say("passes", "a parse file never knows the model")
    if (room == "runtime" && header ~ /\.h$/ && quoted && file !~ /^runtime\/tool\// && in_room("runtime"))
        check_rank(target)
}

function family(word) { sub(/_.*$/, "", word); return word }

function dir_of(path) { sub(/[^\/]*$/, "", path); return path }

function in_room(where) { return (where "/" header) in tree || (where "/" base(header)) in tree }

function check_rank(target,    mine, theirs) {
    if (target == name) return
    mine = rank_of(name, ext); theirs = rank_of(target, "h")
    if (mine == 0) { if (!unranked[name]++) say("ranks", name " has no line in tests/tidy/ranks"); return }
    if (theirs == 0) { if (!unranked[target]++) say("ranks", target " has no line in tests/tidy/ranks"); return }
    # tier_ssd.c fills the contract of tier.h; log_replay.c is a part of log.
    if (family(name) == family(target)) return
    if (theirs >= mine) say("ranks", name " includes " header ", which is not of a lower layer")
}

function end_of_file() {
    if (last_file == "") return
    if (lines > LINES_MAX && last_file ~ /\.(c|h|l|y|cu|cl|sh|build)$/ && last_file !~ /^tests\/(data|golden)\//) {
        printf "%s:%d: length: %d lines; %d at most\n", last_file, lines, lines, LINES_MAX
        bad = 1
    }
}

END {
    end_of_file()
    for (pair in vendor_count) {
        split(pair, parts, SUBSEP)
        if (parts[1] != "tests" && vendor_count[pair] > 1) {
            printf "%s: vendor-header: %s in more than one file:%s\n", parts[1], parts[2], vendor_files[pair]
            bad = 1
        }
    }
    exit bad
}
