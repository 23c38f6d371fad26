/* Every flow is cancelled at every await, and meets every other operation at every host call. */
#include "torture.h"

static const torture_kind kinds[] = {
	TORTURE_AWAIT_CANCEL, TORTURE_AWAIT_INTERRUPT, TORTURE_AWAIT_REFUSE, TORTURE_AWAIT_REFUSE_ALL, TORTURE_OVERLAP,
	TORTURE_OVERLAP_CANCEL, TORTURE_OVERLAP_CANCEL_FIRST, TORTURE_OVERLAP_DEATH, TORTURE_OVERLAP_INSIDE,
};

int main(void)
{
	return torture_main("interrupt", kinds, (int)(sizeof kinds / sizeof kinds[0]));
}
