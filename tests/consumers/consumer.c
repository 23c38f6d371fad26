/* A small embedder, valid as C and as C++: makes a context and a sandbox, looks at them, and takes them down again. */
#include <lcowmig/lcowmig.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_context *context = NULL;
	lcowmig_sandbox *sandbox = NULL;

	if (strcmp(lcowmig_version(), LCOWMIG_VERSION_STRING) != 0) {
		printf("headers are %s, the library is %s\n", LCOWMIG_VERSION_STRING, lcowmig_version());
		return 1;
	}
	if (lcowmig_context_new(NULL, NULL, &context, &error) != LCOWMIG_OK) {
		printf("%s\n", error.message);
		return 1;
	}
	config.id = "consumer";
	if (lcowmig_sandbox_new(context, &config, &sandbox, &error) != LCOWMIG_OK) {
		printf("%s\n", error.message);
		return 1;
	}
	if (lcowmig_context_free(context) != LCOWMIG_E_FAILED_PRECONDITION) {
		printf("a context with a sandbox let itself be freed\n");
		return 1;
	}
	if (lcowmig_sandbox_free(sandbox, &error) != LCOWMIG_OK || lcowmig_context_free(context) != LCOWMIG_OK) {
		printf("%s\n", error.message);
		return 1;
	}
	printf("consumer: ok, deadline %s\n", lcowmig_context_deadline(NULL) == LCOWMIG_NO_DEADLINE ? "none" : "some");
	return 0;
}
