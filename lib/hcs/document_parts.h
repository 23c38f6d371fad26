/* Shared by the files that build and read HCS documents. */
#ifndef LCOWMIG__HCS_DOCUMENT_PARTS_H
#define LCOWMIG__HCS_DOCUMENT_PARTS_H

#include "documents.h"

/* Adds the members of an attachment to `object`; false when memory is out. */
bool lcowmig__hcs_fill_attachment(cJSON *object, const lcowmig__hcs_attachment *attachment);

/* Parses what HCS sent under the limits of documents; NULL and "" give an empty object. It must be an object. */
lcowmig_status lcowmig__hcs_parse_object(const char *what, const lcowmig_limits *limits, const char *json, cJSON **ret_tree,
					 lcowmig_error *error);

#endif
