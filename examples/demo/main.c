/* lcowmig-demo: see --help. */
#include "demo.h"

#include <signal.h>
#include <string.h>

int main(int argc, char **argv)
{
	demo_options options;
	int result;

	if (!demo_parse_options(argc, argv, &options, &result))
		return result;
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(options.command, "source") == 0)
		return demo_source(&options);
	if (strcmp(options.command, "destination") == 0)
		return demo_destination(&options);
	return demo_both(&options, argv[0]);
}
