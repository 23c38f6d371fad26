/* What the files of the scripted host share. */
#ifndef TEST_HOST_PRIVATE_H
#define TEST_HOST_PRIVATE_H

#include <check.h>

#include "base/list.h"
#include "host.h"

/* Something the host opened for the library and expects to be closed once. */
typedef struct test_handle {
	lcowmig__list node;
	const char *kind; /* "system", "stdio", "socket" */
	bool is_open;
	bool may_stay; /* was there before the test began */
} test_handle;

/* One call as the script sees it. */
typedef struct test_call {
	lcowmig__list node;
	const char *operation;  /* "guest.rpc" */
	char specific[32];      /* "guest.rpc:10100a01", or "" */
	lcowmig_call *call;
	char *standard;         /* the result unless the test set one; malloc */
	const char *opens;      /* kind of the handle that success opens, or NULL */
	test_handle *closes;    /* what success closes, or NULL */
	int64_t request_id;
	uint32_t pid;           /* of a wait; 0 when it is not known */
	bool stays;             /* stays pending unless the test says otherwise */
	uint32_t times_out;     /* fails with this HRESULT unless the test says otherwise; 0: no */
	bool is_connection;     /* success brings the guest connection up */
} test_call;

typedef struct test_failure {
	lcowmig__list node;
	char operation[32];
	unsigned nth;
	lcowmig_status status;
	uint32_t hresult;
	char message[256];
} test_failure;

typedef struct test_reply {
	lcowmig__list node;
	char operation[32];
	char *text;
} test_reply;

typedef struct test_wait {
	lcowmig__list node;
	int64_t request_id;
	uint32_t pid;
} test_wait;

struct test_host_private {
	lcowmig__pump pump;
	char *log;
	size_t log_size;
	uint64_t now;
	uint64_t random;
	unsigned live;        /* allocations not released */
	unsigned allocations; /* made so far */
	unsigned fail_in;     /* the nth from now fails; 0: none */
	bool fail_forever;
	size_t fail_size;     /* smaller ones do not count */
	lcowmig__list failures;
	lcowmig__list replies;
	lcowmig__list holds; /* test_reply without text */
	lcowmig__list pending;
	lcowmig__list handles;
	lcowmig__list waits; /* every wait ever sent: which pid an adopted id belongs to */
	test_handle *system; /* the one that host->env begins with */
	lcowmig_sandbox *sandbox;
	uint32_t next_pid;
	uint32_t next_port;
	int64_t next_request_id;
	unsigned act_in; /* `act` is called with the nth call from now; 0: never */
	void (*act)(void *user);
	void *act_user;
	bool is_connected;
	bool is_migrating;
	char vm_id[16];
	char runtime_id[LCOWMIG_GUID_TEXT_SIZE];
	lcowmig_hcs_ops hcs;
	lcowmig_guest_ops guest;
	lcowmig_network_ops network;
	lcowmig_stdio_ops stdio;
	lcowmig_socket_ops socket;
	lcowmig_event_ops events;
};

/* host.c: every member of every vtable. */
typedef struct test_member {
	const char *operation;
	size_t in_config; /* of test_host_private */
	size_t in_env;
} test_member;

extern const test_member test_members[];
extern const size_t test_n_members;

/* script.c */
void test_log(test_host *host, const char *format, ...) LCOWMIG__PRINTF(2, 3);
/* Answers a call as the script says. Takes `given` (a copy is kept while the call is pending). */
lcowmig_status test_script_run(test_host *host, test_call *given);
/* Ends every pending call of the guest connection with UNAVAILABLE. */
void test_script_lose_guest(test_host *host);
/* Completes what nobody waits for any more. */
void test_script_settle_abandoned(test_host *host);
void test_script_done(test_host *host);
test_handle *test_handle_open(test_host *host, const char *kind);
/* The handle behind a pointer the library gave back; asserts that it is open and of this kind. */
test_handle *test_handle_get(test_host *host, const char *kind, void *pointer);
char *test_format(const char *format, ...) LCOWMIG__PRINTF(1, 2);

/* guest_ops.c, host_ops.c: fill the vtables. */
void test_guest_ops_init(test_host *host);
void test_host_ops_init(test_host *host);

#endif
