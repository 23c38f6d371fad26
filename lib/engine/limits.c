#include "limits.h"

#include "abi.h"

/* X(member, default) */
#define LIMITS(X)                                            \
	X(envelope_bytes, LCOWMIG_LIMIT_ENVELOPE_BYTES)      \
	X(document_bytes, LCOWMIG_LIMIT_DOCUMENT_BYTES)      \
	X(json_depth, LCOWMIG_LIMIT_JSON_DEPTH)              \
	X(pods, LCOWMIG_LIMIT_PODS)                          \
	X(containers, LCOWMIG_LIMIT_CONTAINERS)              \
	X(endpoints, LCOWMIG_LIMIT_ENDPOINTS)                \
	X(layers, LCOWMIG_LIMIT_LAYERS)                      \
	X(reservations, LCOWMIG_LIMIT_RESERVATIONS)          \
	X(mount_options, LCOWMIG_LIMIT_MOUNT_OPTIONS)        \
	X(id_bytes, LCOWMIG_LIMIT_ID_BYTES)                  \
	X(path_bytes, LCOWMIG_LIMIT_PATH_BYTES)              \
	X(compat_bytes, LCOWMIG_LIMIT_COMPAT_BYTES)          \
	X(json_values, LCOWMIG_LIMIT_JSON_VALUES)

lcowmig_status lcowmig__limits_resolve(const lcowmig_limits *given, lcowmig_limits *ret_limits, lcowmig_error *error)
{
	lcowmig_limits limits = { 0 };
	lcowmig_status status = LCOWMIG_OK;

	if (given)
		status = LCOWMIG__COPY_SIZED("lcowmig_limits", &limits, given, compat_bytes, error);
	if (status != LCOWMIG_OK)
		return status;
	limits.size = sizeof limits;
#define RESOLVE(member, standard)                                                                                             \
	if (limits.member > (standard))                                                                                       \
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_limits: " #member " is %lu, at most %lu",    \
		                     (unsigned long)limits.member, (unsigned long)(standard));                                \
	if (!limits.member)                                                                                                   \
		limits.member = (standard);
	LIMITS(RESOLVE)
#undef RESOLVE
	*ret_limits = limits;
	return LCOWMIG_OK;
}
