#include "lcowmig/version.h"

const char *lcowmig_version(void)
{
	return LCOWMIG_VERSION_STRING;
}
