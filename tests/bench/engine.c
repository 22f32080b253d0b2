/* The table of engines: every row of engines.def that is in this build. An
 * engine whose development files are missing is known by name only, so that
 * the user is told why it cannot be measured. */
#include "engine.h"

#include <string.h>

#define ENGINE(name, symbol, present) extern const struct engine symbol;
#include "engines.def"
#undef ENGINE

/* A row in this build gives its address and a comma, another one nothing. */
#define ROW_0(symbol)
#define ROW_1(symbol)         &symbol,
#define ROW_(present, symbol) ROW_##present(symbol)
#define ROW(present, symbol)  ROW_(present, symbol)

const struct engine *const engine_table[] = {
#define ENGINE(name, symbol, present) ROW(present, symbol)
#include "engines.def"
#undef ENGINE
};
const size_t engine_count = sizeof engine_table / sizeof engine_table[0];

static const char *const known[] = {
#define ENGINE(name, symbol, present) name,
#include "engines.def"
#undef ENGINE
};

static bool same(const char *name, const char *text, size_t bytes)
{
    return strlen(name) == bytes && memcmp(name, text, bytes) == 0;
}

const struct engine *engine_find(const char *name, size_t name_bytes)
{
    for (size_t i = 0; i < engine_count; i++)
        if (same(engine_table[i]->name, name, name_bytes))
            return engine_table[i];
    return NULL;
}

bool engine_is_known(const char *name, size_t name_bytes)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (same(known[i], name, name_bytes))
            return true;
    return false;
}
