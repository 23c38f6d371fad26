/* Requests of the Migration service: for each, a byte for the method, two for its size, and the message. Each is answered exactly once. */
#include <string.h>

#include "host.h"

static void on_reply(void *user, lcowmig_status status, lcowmig_rpc_code code, const uint8_t *response, size_t size, const lcowmig_error *error)
{
	(void)response;
	(void)size;
	REQUIRE((status == LCOWMIG_OK) == (code == LCOWMIG_RPC_OK));
	REQUIRE(status == LCOWMIG_OK || error->message[0]);
	REQUIRE((*(unsigned *)user)-- > 0);
}

static void on_item(void *user, const uint8_t *item, size_t size)
{
	(void)user;
	REQUIRE(item || !size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "PrepareAndExportSandbox", "ImportSandbox",         "PrepareSandbox", "TransferSandbox",
		                               "FinalizeSandbox",         "CreateDuplicateSocket", "Cancel",         "Cleanup" };
	lcowmig_service_stream *stream;
	lcowmig_service *service;
	unsigned waiting = 0;
	fuzz_host host;

	if (!size)
		return 0;
	fuzz_host_new(&host, data[0] & 0x80 ? NULL : "here");
	if (!(data[0] & 0x80))
		fuzz_host_boot(&host);
	REQUIRE(lcowmig_service_new(host.sandbox, 0, NULL, &service, NULL) == LCOWMIG_OK);
	while (size >= 3) {
		size_t length = (size_t)data[1] | (size_t)data[2] << 8;
		unsigned which = data[0] & 15;

		data += 3;
		size -= 3;
		if (length > size)
			length = size;
		if (which >= 8) {
			if (lcowmig_service_notifications(service, data, length, on_item, NULL, &stream, NULL) == LCOWMIG_OK)
				lcowmig_service_stream_close(stream);
		} else {
			waiting++;
			REQUIRE(lcowmig_service_call(service, methods[which], data, length, on_reply, &waiting, NULL) == LCOWMIG_OK);
		}
		data += length;
		size -= length;
	}
	if (lcowmig_migration_session_id(host.m)[0])
		fuzz_begun(&host, lcowmig_migration_abandon(host.m, lcowmig_migration_session_id(host.m), fuzz_on_done, &host, NULL));
	while (waiting || host.pending) {
		host.now += UINT64_C(30000000000);
		lcowmig_sandbox_hcs_event(host.sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, NULL, NULL);
		lcowmig_context_advance(host.context, host.now);
		REQUIRE(host.now < UINT64_C(100000000000000));
	}
	REQUIRE(lcowmig_service_free(service) == LCOWMIG_OK);
	fuzz_host_free(&host);
	return 0;
}
