/*
 * Runs a fuzz target over files without a fuzzer: each as it is, cut at some places, and with single bytes changed. Reproduces what a fuzzer has
 * found, too: replay FILE…
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLACES_MAX 300u /* of a file that are changed */

static unsigned long runs;

static void run(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
	runs++;
}

static void run_changed(uint8_t *data, size_t size)
{
	static const uint8_t values[] = { 0x00, 0xff, 0x80, 0x22 };
	size_t stride = size / PLACES_MAX + 1;
	size_t i, v;

	for (i = 0; i < size; i += stride) {
		uint8_t was = data[i];

		run(data, i);
		for (v = 0; v < sizeof values; v++) {
			data[i] = values[v];
			run(data, size);
		}
		data[i] = was ^ 1;
		run(data, size);
		data[i] = was;
	}
}

static int run_file(const char *path, int changes)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long size;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		return 1;
	}
	data = malloc((size_t)size + 1);
	if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		return 1;
	}
	fclose(file);
	run(data, (size_t)size);
	if (changes)
		run_changed(data, (size_t)size);
	free(data);
	return 0;
}

/* replay [--change] FILE… */
int main(int argc, char **argv)
{
	int changes = argc > 1 && strcmp(argv[1], "--change") == 0;
	int i;

	for (i = 1 + changes; i < argc; i++)
		if (run_file(argv[i], changes))
			return EXIT_FAILURE;
	printf("%lu inputs from %d files\n", runs, argc - 1 - changes);
	return EXIT_SUCCESS;
}
