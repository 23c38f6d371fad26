/* Numbers are ABI: what is in pins.h never changes its value. Compiling is the test. */
#include <lcowmig/lcowmig.h>

#define PIN(name, value) _Static_assert((long long)(name) == (value), #name);
#include "pins.h"

int main(void)
{
	return 0;
}
