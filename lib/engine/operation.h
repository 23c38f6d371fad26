/* A public operation in progress: who waits for a flow outside the library. */
#ifndef LCOWMIG__OPERATION_H
#define LCOWMIG__OPERATION_H

#include "flow.h"

struct lcowmig__operation {
	lcowmig__delivery delivery;
	lcowmig__list in_context; /* while PENDING */
	lcowmig_context *context;
	lcowmig__flow *flow; /* NULL once ended */
	bool is_pending;     /* the public function has returned PENDING */
	bool is_cancelled;   /* a second cancel does not disturb the cleaning up after the first */
	bool has_ended;
	lcowmig_status status;
	lcowmig_error error;
	lcowmig_done_fn done;
	void *user;
};

/* Called when the flow has ended. */
void lcowmig__operation_end(lcowmig__operation *operation, lcowmig_status status, const lcowmig_error *error);

#endif
