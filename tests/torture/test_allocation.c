/* Every allocation of every flow fails: once, and from then on; the context's memory and cJSON's. */
#include "torture.h"

static const torture_kind kinds[] = {
	TORTURE_ALLOCATION, TORTURE_ALLOCATIONS, TORTURE_JSON, TORTURE_JSON_ALL,
};

int main(void)
{
	return torture_main("allocation", kinds, (int)(sizeof kinds / sizeof kinds[0]));
}
