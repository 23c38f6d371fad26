/* Every host call of every flow goes wrong, in every way in which a host may answer. */
#include "torture.h"

static const torture_kind kinds[] = {
	TORTURE_ERROR, TORTURE_EFFECT_ERROR, TORTURE_LATE_ERROR, TORTURE_LATE, TORTURE_INSIDE, TORTURE_INSIDE_THREAD,
	TORTURE_THREAD, TORTURE_CANCEL_SUCCESS, TORTURE_CANCEL_ERROR, TORTURE_NEVER, TORTURE_NEVER_ERROR, TORTURE_MISSING,
	TORTURE_REORDER,
};

int main(void)
{
	return torture_main("host", kinds, (int)(sizeof kinds / sizeof kinds[0]));
}
