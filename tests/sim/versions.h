/* versions.h: the version that each record had after each operation, which is
 * what it must have in the next life of the store, wherever it is by then. */
#ifndef SIM_VERSIONS_H
#define SIM_VERSIONS_H

#include "client.h"

void versions_init(struct client *c);
/* What is there now is where a life begins. */
void versions_begin(struct client *c);
/* After an operation that was done. */
void versions_note(struct client *c);
/* In the next life, before anything is written. */
void versions_check(struct client *c);

#endif
