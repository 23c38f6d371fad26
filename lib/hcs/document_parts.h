/* Shared by the files that build and read HCS documents. */
#ifndef LCOWMIG__HCS_DOCUMENT_PARTS_H
#define LCOWMIG__HCS_DOCUMENT_PARTS_H

#include "documents.h"

#define LCOWMIG__HCS_MEMORY_SIZE "VirtualMachine/ComputeTopology/Memory/SizeInMB"
#define LCOWMIG__HCS_PROCESSOR "VirtualMachine/ComputeTopology/Processor"
#define LCOWMIG__HCS_CPU_GROUP LCOWMIG__HCS_PROCESSOR "/CpuGroup"

/* Writes the object that describes an attachment. */
void lcowmig__hcs_write_attachment(lcowmig__buf *buf, const lcowmig__hcs_attachment *attachment);

/* Parses what HCS sent under the limits of documents; NULL and "" give an empty object. It must be an object. */
lcowmig_status lcowmig__hcs_parse_object(const char *what, const lcowmig_limits *limits, const char *json, cJSON **ret_tree,
					 lcowmig_error *error);

#endif
