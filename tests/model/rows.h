/*
 * Which rows of which state tables were taken. The program is linked with --wrap for the two functions through which every controller uses
 * its table, so that nothing in the library has to count. The counters are in memory that forked tests share.
 */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/state.h"

#define ROWS_MAX 128 /* of one table */

typedef struct rows_table {
	const lcowmig__machine *machine;
	unsigned long taken[ROWS_MAX]; /* by row: fired, or for a row that leads nowhere accepted as a question */
	unsigned long refused;
} rows_table;

/* Makes the counters. Call before the first test runs. */
void rows_begin(void);
/* Begins to count again. */
void rows_forget(void);
/* Every table of the library; NULL beyond the last. */
const rows_table *rows_get(size_t index);
/* One line for each table, and one for each row that was never taken when `names_rows`. Returns how many were not. */
size_t rows_print(bool names_rows);

/* Memory that a forked test shares with the program that forks it. */
void *rows_shared_memory(size_t size);

#endif
