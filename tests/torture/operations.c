#include "torture.h"
const torture_scenario torture_operations[] = {
	{ NULL, 0, 0, false, NULL, NULL, NULL },
};
