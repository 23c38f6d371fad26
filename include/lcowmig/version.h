/*
 * The version of the library.
 */
#ifndef LCOWMIG_VERSION_H
#define LCOWMIG_VERSION_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LCOWMIG_VERSION_MAJOR 1
#define LCOWMIG_VERSION_MINOR 0
#define LCOWMIG_VERSION_PATCH 0
#define LCOWMIG_VERSION_STRING "1.0.0"

/* Returns the version of the library that runs, which may be newer than the headers. Static text. Since 1.0. */
LCOWMIG_API const char *lcowmig_version(void);

#ifdef __cplusplus
}
#endif

#endif
