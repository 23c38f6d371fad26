#include "frame.h"

#include "base/compiler.h"
#include "lcowmig/host.h"

static void put_little_endian(uint8_t *bytes, uint64_t value, unsigned size)
{
	unsigned i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_little_endian(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

void lcowmig__frame_write(uint8_t *bytes, const lcowmig__frame *frame)
{
	put_little_endian(bytes, frame->type, 4);
	put_little_endian(bytes + 4, frame->size, 4);
	put_little_endian(bytes + 8, frame->id, 8);
}

lcowmig__frame lcowmig__frame_read(const uint8_t *bytes)
{
	lcowmig__frame frame;

	frame.type = (uint32_t)get_little_endian(bytes, 4);
	frame.size = (uint32_t)get_little_endian(bytes + 4, 4);
	frame.id = get_little_endian(bytes + 8, 8);
	return frame;
}

const char *lcowmig__frame_name(uint32_t type)
{
	static const struct {
		uint32_t request;
		const char *name;
	} names[] = {
		{ LCOWMIG_GCS_CREATE, "Create" },
		{ LCOWMIG_GCS_START, "Start" },
		{ LCOWMIG_GCS_SHUTDOWN_GRACEFUL, "ShutdownGraceful" },
		{ LCOWMIG_GCS_SHUTDOWN_FORCED, "ShutdownForced" },
		{ LCOWMIG_GCS_EXECUTE_PROCESS, "ExecuteProcess" },
		{ LCOWMIG_GCS_WAIT_FOR_PROCESS, "WaitForProcess" },
		{ LCOWMIG_GCS_SIGNAL_PROCESS, "SignalProcess" },
		{ LCOWMIG_GCS_RESIZE_CONSOLE, "ResizeConsole" },
		{ LCOWMIG_GCS_GET_PROPERTIES, "GetProperties" },
		{ LCOWMIG_GCS_MODIFY_SETTINGS, "ModifySettings" },
		{ LCOWMIG_GCS_NEGOTIATE_PROTOCOL, "NegotiateProtocol" },
		{ LCOWMIG_GCS_DUMP_STACKS, "DumpStacks" },
		{ LCOWMIG_GCS_DELETE_CONTAINER_STATE, "DeleteContainerState" },
	};
	size_t i;

	if (type == LCOWMIG_GCS_NOTIFICATION)
		return "notification";
	for (i = 0; i < LCOWMIG__COUNT(names); i++)
		if ((type & ~LCOWMIG__FRAME_KIND) == (names[i].request & ~LCOWMIG__FRAME_KIND))
			return names[i].name;
	return "message";
}
