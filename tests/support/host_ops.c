/* The vtables of HCS, network, stdio, sockets and events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

static lcowmig_status run(test_host *host, const char *operation, lcowmig_call *call, char *standard, const char *opens,
			  test_handle *closes)
{
	test_call given = { .operation = operation, .call = call, .standard = standard, .opens = opens, .closes = closes };

	return test_script_run(host, &given);
}

/* ---- HCS ---- */

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	test_log(user, "hcs.create %s %s", id, document);
	return run(user, "hcs.create", call, NULL, "system", NULL);
}

static lcowmig_status hcs_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	test_handle_get(user, "system", system);
	if (socket)
		test_handle_get(user, "socket", socket);
	test_log(user, "hcs.start%s%s%s", options[0] ? " " : "", options, socket ? " with socket" : "");
	return run(user, "hcs.start", call, NULL, NULL, NULL);
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	test_handle_get(user, "system", system);
	test_log(user, "hcs.terminate");
	return run(user, "hcs.terminate", call, NULL, NULL, NULL);
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	test_log(user, "hcs.close");
	return run(user, "hcs.close", call, NULL, NULL, test_handle_get(user, "system", system));
}

static lcowmig_status hcs_modify(void *user, lcowmig_call *call, void *system, const char *request)
{
	test_handle_get(user, "system", system);
	test_log(user, "hcs.modify %s", request);
	return run(user, "hcs.modify", call, NULL, NULL, NULL);
}

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	const char *answer = "{\"Id\":\"test@vm\",\"RuntimeId\":\"b1c2d3e4-0000-4000-8000-00000000cafe\"}";

	test_handle_get(user, "system", system);
	test_log(user, "hcs.properties %s", query);
	if (strstr(query, "CompatibilityInfo"))
		answer = "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"Y29tcGF0\"}}}}";
	return run(user, "hcs.properties", call, test_format("%s", answer), NULL, NULL);
}

static lcowmig_status migration_call(test_host *host, const char *operation, lcowmig_call *call, void *system, const char *options,
                                     void *socket)
{
	test_handle_get(host, "system", system);
	if (socket)
		test_handle_get(host, "socket", socket);
	test_log(host, "%s %s%s", operation, options, socket ? " with socket" : "");
	return run(host, operation, call, NULL, NULL, NULL);
}

static lcowmig_status hcs_initialize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return migration_call(user, "hcs.initialize_migration", call, system, options, NULL);
}

static lcowmig_status hcs_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	return migration_call(user, "hcs.start_migration", call, system, options, socket);
}

static lcowmig_status hcs_transfer(void *user, lcowmig_call *call, void *system, const char *options)
{
	return migration_call(user, "hcs.transfer", call, system, options, NULL);
}

static lcowmig_status hcs_finalize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return migration_call(user, "hcs.finalize_migration", call, system, options, NULL);
}

static lcowmig_status hcs_cancel_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return migration_call(user, "hcs.cancel_migration", call, system, options, NULL);
}

static lcowmig_status hcs_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	test_log(user, "hcs.grant_access %s %s", id, path);
	return run(user, "hcs.grant_access", call, NULL, NULL, NULL);
}

static lcowmig_status hcs_resolve_path(void *user, lcowmig_call *call, const char *path)
{
	test_log(user, "hcs.resolve_path %s", path);
	return run(user, "hcs.resolve_path", call, test_format("%s", path), NULL, NULL);
}

/* ---- Network ---- */

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	test_log(user, "network.endpoints %s", namespace_id);
	return run(user, "network.endpoints", call,
	           test_format("[{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\",\"Name\":\"pod1_eth0\",\"HostComputeNamespace\":\"%s\","
	                       "\"Policies\":[{\"Type\":\"EncapOverhead\",\"Settings\":{\"Overhead\":50}}],"
	                       "\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24}],"
	                       "\"Dns\":{\"Domain\":\"Default.svc.cluster.local\",\"Search\":[\"svc.cluster.local\"],"
	                       "\"ServerList\":[\"10.96.0.10\"]},"
	                       "\"Routes\":[{\"NextHop\":\"10.244.1.1\",\"DestinationPrefix\":\"0.0.0.0/0\"}],"
	                       "\"MacAddress\":\"00-15-5D-01-02-03\"}]",
	                       namespace_id),
	           NULL, NULL);
}

/* ---- Stdio and sockets ---- */

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	test_log(user, "stdio.open %s '%s' '%s' '%s' '%s'%s", config->container_id, config->exec_id, config->stdin_path,
		 config->stdout_path, config->stderr_path, config->terminal ? " terminal" : "");
	return run(user, "stdio.open", call, NULL, "stdio", NULL);
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	test_handle_get(user, "stdio", stdio);
	test_log(user, "stdio.attach %u %u %u", ports[0], ports[1], ports[2]);
	return run(user, "stdio.attach", call, NULL, NULL, NULL);
}

static lcowmig_status stdio_drain(void *user, lcowmig_call *call, void *stdio)
{
	test_handle_get(user, "stdio", stdio);
	test_log(user, "stdio.drain");
	return run(user, "stdio.drain", call, NULL, NULL, NULL);
}

static void stdio_close_stdin(void *user, void *stdio)
{
	test_handle_get(user, "stdio", stdio);
	test_log(user, "stdio.close_stdin");
}

static void stdio_close(void *user, void *stdio)
{
	test_handle_get(user, "stdio", stdio)->is_open = false;
	test_log(user, "stdio.close");
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	ck_assert_ptr_nonnull(descriptor);
	test_log(user, "socket.adopt %zu", size);
	return run(user, "socket.adopt", call, NULL, "socket", NULL);
}

static void socket_close(void *user, void *socket)
{
	test_handle_get(user, "socket", socket)->is_open = false;
	test_log(user, "socket.close");
}

/* ---- Events ---- */

static const char *text_or_quotes(const char *text)
{
	return text[0] ? text : "''";
}

static void on_event(void *user, const lcowmig_event *event)
{
	const char *container = text_or_quotes(lcowmig_event_container_id(event));
	const char *exec = text_or_quotes(lcowmig_event_exec_id(event));
	uint32_t pid = lcowmig_event_pid(event);

	switch (lcowmig_event_get_type(event)) {
	case LCOWMIG_EVENT_TASK_CREATE:
		test_log(user, "event create %s %s %u", container, exec, pid);
		break;
	case LCOWMIG_EVENT_TASK_START:
		test_log(user, "event start %s %s %u", container, exec, pid);
		break;
	case LCOWMIG_EVENT_TASK_EXIT:
		test_log(user, "event exit %s %s %u %u", container, exec, pid, lcowmig_event_exit_status(event));
		break;
	case LCOWMIG_EVENT_TASK_DELETE:
		test_log(user, "event delete %s %s %u %u", container, exec, pid, lcowmig_event_exit_status(event));
		break;
	case LCOWMIG_EVENT_TASK_EXEC_ADDED:
		test_log(user, "event exec-added %s %s", container, exec);
		break;
	case LCOWMIG_EVENT_TASK_EXEC_STARTED:
		test_log(user, "event exec-started %s %s %u", container, exec, pid);
		break;
	default:
		ck_abort_msg("an event of unknown type %d", (int)lcowmig_event_get_type(event));
	}
}

void test_host_ops_init(test_host *host)
{
	host->p->hcs = (lcowmig_hcs_ops){
		.size = sizeof host->p->hcs,
		.user = host,
		.create = hcs_create,
		.start = hcs_start,
		.terminate = hcs_terminate,
		.close = hcs_close,
		.modify = hcs_modify,
		.properties = hcs_properties,
		.initialize_migration = hcs_initialize_migration,
		.start_migration = hcs_start_migration,
		.transfer = hcs_transfer,
		.finalize_migration = hcs_finalize_migration,
		.cancel_migration = hcs_cancel_migration,
		.grant_access = hcs_grant_access,
		.resolve_path = hcs_resolve_path,
	};
	host->p->network = (lcowmig_network_ops){ .size = sizeof host->p->network, .user = host, .endpoints = network_endpoints };
	host->p->stdio = (lcowmig_stdio_ops){
		.size = sizeof host->p->stdio,
		.user = host,
		.open = stdio_open,
		.attach = stdio_attach,
		.drain = stdio_drain,
		.close_stdin = stdio_close_stdin,
		.close = stdio_close,
	};
	host->p->socket =
		(lcowmig_socket_ops){ .size = sizeof host->p->socket, .user = host, .adopt = socket_adopt, .close = socket_close };
	host->p->events = (lcowmig_event_ops){ .size = sizeof host->p->events, .user = host, .event = on_event };
}
