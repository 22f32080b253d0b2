/* What a schema may say that this version does not act on yet. */
#ifndef WARPC_EXPLAIN_H
#define WARPC_EXPLAIN_H

#include "model.h"

/* Row `index` of the table: false when there is no such row. `text` is NULL
 * where the row does not concern the field. */
bool explain_not_yet(const struct model_field *field, unsigned index,
                     const char **text);

/* Is this further copy in its list one that nothing makes? */
bool explain_copy_unmade(const struct model_field *field,
                         enum persist_policy copy);

/* Does the strategy of its product send its values to the archive? */
bool explain_goes_to_archive(const struct model_field *field);

#endif
