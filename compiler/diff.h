/* warpc diff: what an old schema, store or git revision and a new schema mean
 * for data that exists. */
#ifndef WARPC_DIFF_H
#define WARPC_DIFF_H

struct command;

/* Exit 1 if data would be lost. */
int diff_run(struct command *command);

#endif
