/*
 * A computecore.dll for tests: it does what the HCS documentation says about operations and handles, complains about everything that is not
 * allowed, and writes down every call as a line of text. The test process loads it like the real one and finds these entries in it.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include <windows.h>

/* All lines since the last reset, and how many rules were broken. */
typedef const char *(*standin_log_fn)(void);
/* Forgets lines and orders; complains when operations or systems are still open. Returns the number of complaints so far. */
typedef int (*standin_reset_fn)(void);
/* From now on the entry `name` fails: at the call itself, or when its operation is waited for. `document` may be NULL. */
typedef void (*standin_refuse_fn)(const char *name, HRESULT result, BOOL at_wait, const wchar_t *document);
/* What HcsGetComputeSystemProperties answers. */
typedef void (*standin_answer_fn)(const wchar_t *document);
/* Reports an event as HCS would, to the callback of the system that was created last, even when that is closed. */
typedef void (*standin_event_fn)(unsigned type, const wchar_t *data);

#endif
