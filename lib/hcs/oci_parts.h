/* Shared by the files that read and change OCI specs. */
#ifndef LCOWMIG__OCI_PARTS_H
#define LCOWMIG__OCI_PARTS_H

#include "oci.h"

/* The member in whatever case of letters; NULL when absent or JSON null. */
cJSON *lcowmig__oci_member(cJSON *object, const char *name);
/* Sets a member, removing what was there in any case of letters. Takes `item` in every case; false when memory is out or `item` NULL. */
bool lcowmig__oci_set(cJSON *object, const char *name, cJSON *item);
void lcowmig__oci_remove(cJSON *object, const char *name);

#endif
