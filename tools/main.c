/* lcowmig: looks into saved sandboxes. */
#include <stdlib.h>
#include <string.h>

#include "lcowmig/version.h"
#include "tool.h"

static const char usage_text[] =
	"usage: lcowmig inspect [--json] FILE    show what is in an envelope\n"
	"       lcowmig validate FILE            say nothing, or all that is wrong with it\n"
	"       lcowmig diff A B                 show what differs between two envelopes\n"
	"       lcowmig trace FILE...            make one Chrome/Perfetto trace of sessions' timelines\n"
	"       lcowmig --version | --help\n"
	"FILE holds the google.protobuf.Any as a host hands it over, or a bare payload; - is standard input.\n"
	"Exit code: 0 fine, 1 not valid (diff: differences), 2 unreadable file or wrong usage.\n";

static int usage_error(const char *what)
{
	fprintf(stderr, "lcowmig: %s\n%s", what, usage_text);
	return 2;
}

/* Loads or reports; the exit code of the failure, 0 when it is there. */
static int load(const char *file, tool_envelope *envelope)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	int result = tool_envelope_load(file, envelope, &error);

	if (result == 1)
		fprintf(stderr, "lcowmig: %s: %s\n", file, error.message);
	if (result)
		tool_envelope_done(envelope);
	return result;
}

static int command_inspect(int count, char **arguments)
{
	bool as_json = count > 0 && strcmp(arguments[0], "--json") == 0;
	tool_envelope envelope;
	int result;

	if (count != 1 + as_json)
		return usage_error("inspect takes one FILE");
	result = load(arguments[as_json], &envelope);
	if (result)
		return result;
	if (as_json) {
		cJSON *tree = tool_json(&envelope);
		char *text = cJSON_Print(tree);

		printf("%s\n", text ? text : "null");
		free(text);
		cJSON_Delete(tree);
	} else {
		tool_print_tree(stdout, &envelope);
	}
	tool_envelope_done(&envelope);
	return 0;
}

static int command_validate(int count, char **arguments)
{
	if (count != 1)
		return usage_error("validate takes one FILE");
	return tool_validate(arguments[0]);
}

static int command_diff(int count, char **arguments)
{
	tool_envelope sides[2];
	cJSON *trees[2];
	size_t differences;
	int result;

	if (count != 2)
		return usage_error("diff takes two FILEs");
	result = load(arguments[0], &sides[0]);
	if (result)
		return 2;
	result = load(arguments[1], &sides[1]);
	if (result) {
		tool_envelope_done(&sides[0]);
		return 2;
	}
	trees[0] = tool_json(&sides[0]);
	trees[1] = tool_json(&sides[1]);
	differences = tool_diff(stdout, trees[0], trees[1]);
	cJSON_Delete(trees[0]);
	cJSON_Delete(trees[1]);
	tool_envelope_done(&sides[0]);
	tool_envelope_done(&sides[1]);
	return differences ? 1 : 0;
}

static int command_trace(int count, char **arguments)
{
	cJSON *trace = tool_trace_new();
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	int result = count ? 0 : usage_error("trace takes at least one FILE");
	char *text;
	int i;

	for (i = 0; i < count && result == 0; i++) {
		const char *name = strrchr(arguments[i], '/') ? strrchr(arguments[i], '/') + 1 : arguments[i];
		lcowmig__buf content;

		result = tool_read_file(arguments[i], &content);
		if (result == 0 && tool_trace_add(trace, (unsigned)i + 1, name, content.data ? content.data : "", content.size, &error) != LCOWMIG_OK) {
			fprintf(stderr, "lcowmig: %s: %s\n", arguments[i], error.message);
			result = 1;
		}
		lcowmig__buf_done(&content);
	}
	text = result == 0 ? cJSON_PrintUnformatted(trace) : NULL;
	if (text)
		printf("%s\n", text);
	free(text);
	cJSON_Delete(trace);
	return result;
}

typedef struct tool_command {
	const char *name;
	int (*run)(int count, char **arguments);
} tool_command;

static const tool_command commands[] = {
	{ "inspect", command_inspect },
	{ "validate", command_validate },
	{ "diff", command_diff },
	{ "trace", command_trace },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return usage_error("no command");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("lcowmig %s\n", LCOWMIG_VERSION_STRING);
		return 0;
	}
	for (i = 0; i < LCOWMIG__COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	return usage_error("no such command");
}
