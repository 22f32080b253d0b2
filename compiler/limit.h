/* Every limit that warpc puts on its input, in one place: hostile text gets a
 * message that names the limit, never a crash. */
#ifndef WARPC_LIMIT_H
#define WARPC_LIMIT_H

enum {
    LIMIT_FILE_BYTES = 16 << 20, /* one schema file */
    LIMIT_FILES = 1000,          /* in one import closure */
    LIMIT_IMPORT_DEPTH = 64,
    LIMIT_NESTING = 64,           /* open brackets and blocks */
    LIMIT_EXPRESSION_DEPTH = 256, /* of one expression's tree */
    LIMIT_NAME_BYTES = 120,
    LIMIT_ERRORS = 20,       /* printed in one run */
    LIMIT_MESSAGES = 500,    /* kept in one run, warnings included */
    LIMIT_STRUCT_DEPTH = 64, /* structs inside one another */
    LIMIT_C_BYTES = 1 << 20, /* of one C struct or wrapped array */
    LIMIT_ENUM_MEMBERS = 65536,
    LIMIT_TOP_K = 1024, /* of reduce: {:top_k, K} */
    /* Different values that a kernel reads: an array each. A launch takes 64,
     * two of which are the results and where each list begins. */
    LIMIT_KERNEL_INPUTS = 62,
    LIMIT_SOURCE_LINE = 160, /* characters of a line shown in a message */
};

#endif
