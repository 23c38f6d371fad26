#include "token.h"

#include <string.h>

#include "base/sha256.h"
#include "hcs/options.h"

#define TOKEN_VERSION 1

/* Layout: "LCMT", version, 3 zero bytes, epoch (big-endian), session, machine, envelope, first 4 bytes of the SHA-256 of all that. */
static const uint8_t token_magic[4] = { 'L', 'C', 'M', 'T' };

enum {
	TOKEN_AT_VERSION = 4,
	TOKEN_AT_EPOCH = 8,
	TOKEN_AT_BOUND = 12,
	TOKEN_AT_CHECKSUM = 108
};

_Static_assert(TOKEN_AT_BOUND + sizeof((lcowmig__right *)0)->bound == TOKEN_AT_CHECKSUM, "the digests fill their place");
_Static_assert(TOKEN_AT_CHECKSUM + 4 == LCOWMIG__TOKEN_SIZE && LCOWMIG__TOKEN_SIZE <= LCOWMIG_TOKEN_SIZE_MAX, "the layout fills the token");

void lcowmig__right_init(lcowmig__right *right, bool is_source, const char *session_id)
{
	memset(right, 0, sizeof *right);
	right->is_source = is_source;
	lcowmig__session_digest(session_id, right->bound[0]);
}

void lcowmig__right_bind(lcowmig__right *right, const char *machine_id, const void *envelope, size_t size)
{
	lcowmig__sha256(machine_id, strlen(machine_id), right->bound[1]);
	lcowmig__sha256(envelope, size, right->bound[2]);
}

static bool right_is_ours(const lcowmig__right *right, uint32_t epoch)
{
	return (epoch % 2 == 0) == right->is_source;
}

bool lcowmig__right_is_held(const lcowmig__right *right)
{
	return right_is_ours(right, right->epoch);
}

static void token_checksum(const uint8_t *token, uint8_t ret_checksum[4])
{
	uint8_t digest[32];

	lcowmig__sha256(token, TOKEN_AT_CHECKSUM, digest);
	memcpy(ret_checksum, digest, 4);
}

static void token_write(const lcowmig__right *right, uint32_t epoch, uint8_t *token)
{
	memset(token, 0, LCOWMIG__TOKEN_SIZE);
	memcpy(token, token_magic, sizeof token_magic);
	token[TOKEN_AT_VERSION] = TOKEN_VERSION;
	token[TOKEN_AT_EPOCH] = (uint8_t)(epoch >> 24);
	token[TOKEN_AT_EPOCH + 1] = (uint8_t)(epoch >> 16);
	token[TOKEN_AT_EPOCH + 2] = (uint8_t)(epoch >> 8);
	token[TOKEN_AT_EPOCH + 3] = (uint8_t)epoch;
	memcpy(token + TOKEN_AT_BOUND, right->bound, sizeof right->bound);
	token_checksum(token, token + TOKEN_AT_CHECKSUM);
}

/* The token as such. */
static lcowmig_status token_check(const uint8_t *token, size_t size, lcowmig_error *error)
{
	uint8_t checksum[4];

	if (size < TOKEN_AT_EPOCH || memcmp(token, token_magic, sizeof token_magic) != 0)
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "token: %zu bytes that are not a token", size);
	if (token[TOKEN_AT_VERSION] != TOKEN_VERSION)
		return lcowmig__fail(error, LCOWMIG_E_UNSUPPORTED_VERSION, "token: version %u, only %u is known",
				     (unsigned)token[TOKEN_AT_VERSION], TOKEN_VERSION);
	if (size == LCOWMIG__TOKEN_SIZE)
		token_checksum(token, checksum);
	if (size != LCOWMIG__TOKEN_SIZE || memcmp(token + TOKEN_AT_CHECKSUM, checksum, sizeof checksum) != 0)
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "token: cut short or changed on the way");
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__right_read(const lcowmig__right *right, const uint8_t *token, size_t size, uint32_t *ret_epoch,
				   lcowmig_error *error)
{
	static const char *const bound[] = { "session", "virtual machine", "export of this virtual machine" };
	lcowmig_status status = token_check(token, size, error);
	uint32_t epoch;
	size_t i;

	if (status != LCOWMIG_OK)
		return status;
	for (i = 0; i < LCOWMIG__COUNT(bound); i++)
		if (memcmp(token + TOKEN_AT_BOUND + i * sizeof right->bound[i], right->bound[i], sizeof right->bound[i]) != 0)
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "token: belongs to another %s", bound[i]);
	epoch = (uint32_t)token[TOKEN_AT_EPOCH] << 24 | (uint32_t)token[TOKEN_AT_EPOCH + 1] << 16 |
		(uint32_t)token[TOKEN_AT_EPOCH + 2] << 8 | token[TOKEN_AT_EPOCH + 3];
	if (!right_is_ours(right, epoch))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "token: gives the right to the %s, this is the %s",
				     right->is_source ? "destination" : "source", right->is_source ? "source" : "destination");
	if (epoch < right->epoch)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "token: stale, of hand-over %lu; this side has seen hand-over %lu", (unsigned long)epoch,
				     (unsigned long)right->epoch);
	*ret_epoch = epoch;
	return LCOWMIG_OK;
}

void lcowmig__right_take(lcowmig__right *right, uint32_t epoch)
{
	if (epoch > right->epoch)
		right->epoch = epoch;
}

lcowmig_status lcowmig__right_release(lcowmig__right *right, uint8_t ret_token[LCOWMIG__TOKEN_SIZE], lcowmig_error *error)
{
	/* Always so for a source that has not got it: only a release takes it away. */
	bool again = right->released && right->released == right->epoch;
	uint32_t step = lcowmig__right_is_held(right) ? 1 : 2;

	if (!again && right->epoch > UINT32_MAX - step)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "the right was handed over too often in one session");
	if (!again) {
		right->epoch += step;
		right->released = right->epoch;
	}
	token_write(right, right->epoch, ret_token);
	return LCOWMIG_OK;
}
