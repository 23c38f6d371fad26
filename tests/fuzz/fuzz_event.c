/* What HCS and the guest tell by themselves: events about the machine and its migration, and container notifications. The first byte says which. */
#include <string.h>

#include "host.h"

static void on_notification(void *user, const lcowmig_notification *notification)
{
	(void)user;
	if (notification)
		REQUIRE(lcowmig_notification_sequence(notification) > 0 && lcowmig_notification_text(notification));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { LCOWMIG_HCS_EVENT_SYSTEM_EXITED, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION,
		                          LCOWMIG_HCS_EVENT_SERVICE_DISCONNECT };
	lcowmig_subscription *subscription = NULL;
	fuzz_host host;
	char *text;

	if (!size)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	fuzz_host_new(&host, "here");
	fuzz_host_boot(&host);
	if (data[0] & 4)
		lcowmig_migration_prepare_source(host.m, FUZZ_SESSION, NULL, NULL, NULL, NULL);
	if (data[0] & 8)
		lcowmig_migration_subscribe(host.m, FUZZ_SESSION, 0, on_notification, &host, &subscription, NULL);
	if ((data[0] & 3) == 3)
		lcowmig_sandbox_guest_notification(host.sandbox, text, size - 1, NULL);
	else
		lcowmig_sandbox_hcs_event(host.sandbox, types[data[0] & 3], text, NULL);
	lcowmig_migration_unsubscribe(subscription);
	free(text);
	fuzz_host_free(&host);
	return 0;
}
