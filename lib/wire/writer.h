/* Encodes a struct into an envelope by its table: canonical, in one piece of exactly the needed size. */
#ifndef LCOWMIG__WIRE_WRITER_H
#define LCOWMIG__WIRE_WRITER_H

#include "table.h"
#include "wire.h"

lcowmig_status lcowmig__wire_write(lcowmig__buf *buf, const lcowmig__wire_message *message, const void *source, lcowmig_error *error);

#endif
