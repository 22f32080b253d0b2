/* types.c: the descriptors of the types that have no parts, shared by all
 * generated code, and the symbol that ties a generated file to this library.
 *
 * A new scalar is a row here, a kind in gen.h, a row in grammar/types.def, and
 * its cases in codec.c, codec_decode.c and key.c. */
#include <warp/gen.h>

/* `plain` means that the bytes in C are the bytes on the wire. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "plain types are copied: the host must be little-endian");
_Static_assert(sizeof(bool) == 1, "a bool is one byte in C and on the wire");
_Static_assert(sizeof(struct warp_uuid) == 16, "a uuid is its 16 bytes");

const int warp_gen_abi_1 = WARP_GEN_ABI;

#define PLAIN(id, spelling, kind_, c_type)                                     \
    const struct warp_type warp_type_##id = {                                  \
        .name = spelling,                                                      \
        .kind = kind_,                                                         \
        .plain = 1,                                                            \
        .size = sizeof(c_type),                                                \
        .wire_bytes = sizeof(c_type),                                          \
    }

PLAIN(u8, "u8", WARP_T_U8, uint8_t);
PLAIN(u16, "u16", WARP_T_U16, uint16_t);
PLAIN(u32, "u32", WARP_T_U32, uint32_t);
PLAIN(u64, "u64", WARP_T_U64, uint64_t);
PLAIN(i8, "i8", WARP_T_I8, int8_t);
PLAIN(i16, "i16", WARP_T_I16, int16_t);
PLAIN(i32, "i32", WARP_T_I32, int32_t);
PLAIN(i64, "i64", WARP_T_I64, int64_t);
PLAIN(f32, "f32", WARP_T_F32, float);
PLAIN(f64, "f64", WARP_T_F64, double);
PLAIN(timestamp, "timestamp", WARP_T_TIMESTAMP, int64_t);
PLAIN(duration, "duration", WARP_T_DURATION, int64_t);
PLAIN(uuid, "uuid", WARP_T_UUID, struct warp_uuid);

const struct warp_type warp_type_bool = {
    .name = "bool",
    .kind = WARP_T_BOOL,
    .size = sizeof(bool),
    .wire_bytes = 1,
};
const struct warp_type warp_type_string = {
    .name = "string",
    .kind = WARP_T_STRING,
    .size = sizeof(struct warp_str),
};
const struct warp_type warp_type_bytes = {
    .name = "bytes",
    .kind = WARP_T_BYTES,
    .size = sizeof(struct warp_str),
};
const struct warp_type warp_type_value_map = {
    .name = "map()",
    .kind = WARP_T_VALUE_MAP,
    .size = sizeof(struct warp_list),
};
