/* Work that several processes share: each makes its part and writes down in shared memory what came of it. */
#ifndef TEST_WORKERS_H
#define TEST_WORKERS_H

#define WORKERS_MAX 8

/* MODEL_WORKERS, or two; one when the framework has no processes for its tests, because it would go on in every worker that fails. */
unsigned workers_count(void);
/* Calls `work` for each worker from 0; the trace of each is in a slot of its own from `slot` on. Ends the test when one of them fails. */
void workers_run(unsigned slot, const char *name, void (*work)(unsigned worker, void *user), void *user);

#endif
