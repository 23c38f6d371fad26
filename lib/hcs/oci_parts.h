/* Shared by the files that read and change OCI specs. */
#ifndef LCOWMIG__OCI_PARTS_H
#define LCOWMIG__OCI_PARTS_H

#include "oci.h"

/* The member in whatever case of letters; NULL when absent or JSON null. */
cJSON *lcowmig__oci_member(cJSON *object, const char *name);
/* Sets a member, removing what was there in any case of letters. Takes `item` in every case; false when memory is out or `item` NULL. */
bool lcowmig__oci_set(cJSON *object, const char *name, cJSON *item);
void lcowmig__oci_remove(cJSON *object, const char *name);

/* For reading a list of the spec. After the first failure, which `status` keeps, what is read is empty. */
typedef struct lcowmig__oci_reader {
	lcowmig__arena *arena;
	const lcowmig_limits *limits;
	lcowmig_status status;
	lcowmig_error *error;
} lcowmig__oci_reader;

/* Zeroed memory for the elements of a list, `size` bytes for each, and how many they are. NULL when it has none or memory is out. */
void *lcowmig__oci_elements(lcowmig__oci_reader *reader, const cJSON *list, size_t size, size_t *ret_count);
/* A copy in the arena; NULL without memory. */
const char *lcowmig__oci_copy(lcowmig__oci_reader *reader, const char *text, size_t size);

#endif
