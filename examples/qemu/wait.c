/* Waiting for the end of an operation by running the loop. */
#include "demo.h"

#include <string.h>

#define PATIENCE (120 * MOCK_SECOND)

void demo_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	demo_end *end = user;

	end->status = status;
	end->error = *error;
	end->is_over = true;
}

lcowmig_status demo_await(mock_loop *loop, demo_end *end, lcowmig_status status)
{
	if (status != LCOWMIG_PENDING) {
		end->status = status;
		return status;
	}
	if (!mock_loop_run(loop, &end->is_over, PATIENCE)) {
		strcpy(end->error.message, "it did not end within two minutes");
		end->status = LCOWMIG_E_TIMED_OUT;
	}
	return end->status;
}
