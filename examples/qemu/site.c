/* What a host has on disk: layers, scratch disks, logs, and the papers of the pod. */
#include "demo.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_SIZE (16 << 20)

static const char *const namespaces[2] = { "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10", "c0a8f5d2-6e01-4f4e-8f43-2f7f5f1f9b21" };
static const char *const endpoint_ids[2] = { "f7b5d1a0-2f3e-4b6c-8d9e-112233445566", "0d9c3a44-51b7-4f0e-a7d3-665544332211" };

static int site_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static bool site_fail(const char *what)
{
	fprintf(stderr, "lcowmig-qemu: %s: %s\n", what, strerror(errno));
	return false;
}

static bool site_link(const char *from, const char *to)
{
	return link(from, to) == 0 || site_fail(to);
}

static bool site_make_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool good = fd >= 0 && ftruncate(fd, size) == 0;

	if (fd >= 0)
		close(fd);
	return good || site_fail(path);
}

static bool site_copy(const char *from, const char *to)
{
	static char bytes[1 << 16];
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	bool good = in && out;
	size_t n;

	while (good && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
		good = fwrite(bytes, 1, n, out) == n;
	if (in)
		fclose(in);
	if (out)
		good = fclose(out) == 0 && good;
	return good || site_fail(good ? "" : from);
}

static void site_text(char *text, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, size, format, arguments);
	va_end(arguments);
}

/* The files are the first host's; the second links to them. */
static bool site_make_place(demo_site *site, const demo_site *first, unsigned index)
{
	demo_place *place = &site->places[index];
	char name[8];

	site_text(name, sizeof name, "c%u", index);
	site_text(place->base, sizeof place->base, "%s/base.img", site->directory);
	site_text(place->layer, sizeof place->layer, index == 0 ? "" : "%s/layer.img", site->directory);
	site_text(place->scratch, sizeof place->scratch, "%s/%s.img", site->directory, name);
	site_text(place->log, sizeof place->log, "%s/%s.log", site->directory, name);
	site_text(place->bundle, sizeof place->bundle, "%s/%s", site->directory, name);
	if (first)
		return site_link(first->places[index].scratch, place->scratch) && site_link(first->places[index].log, place->log);
	return site_make_file(place->scratch, SCRATCH_SIZE) && site_make_file(place->log, 0);
}

/* Every host has a network of its own: another subnet, another gateway, another card. */
static void site_make_network(demo_site *site, unsigned index)
{
	char text[1024];

	site_text(site->namespace_id, sizeof site->namespace_id, "%s", namespaces[index]);
	site_text(
		text, sizeof text,
		"[{\"ID\":\"%s\",\"Name\":\"pod_eth0\",\"HostComputeNamespace\":\"%s\",\"IpConfigurations\":[{\"IpAddress\":\"10.%u.0.7\","
		"\"PrefixLength\":24}],\"Dns\":{\"Domain\":\"cluster.local\",\"ServerList\":[\"10.96.0.10\"]},\"Routes\":[{\"NextHop\":"
		"\"10.%u.0.1\","
		"\"DestinationPrefix\":\"0.0.0.0/0\"}],\"MacAddress\":\"00-15-5D-01-02-0%u\"}]",
		endpoint_ids[index], site->namespace_id, index + 1, index + 1, index + 3);
	site->endpoints = mock_strdup(text);
}

static bool site_make(const demo_options *options, demo_site *site, unsigned index, unsigned round, const demo_site *first)
{
	char from[700];
	char to[700];
	static const char *const images[2] = { "base.img", "layer.img" };

	site_text(site->name, sizeof site->name, "%c", 'A' + (int)index);
	site_text(site->directory, sizeof site->directory, "%s/%u%c", options->directory, round, 'a' + (int)index);
	site_text(site->console, sizeof site->console, "%s/console", site->directory);
	if (mkdir(site->directory, 0755) != 0)
		return site_fail(site->directory);
	for (int i = 0; i < 2; i++) {
		site_text(from, sizeof from, "%s/%s", first ? first->directory : options->guest, images[i]);
		site_text(to, sizeof to, "%s/%s", site->directory, images[i]);
		if (first ? !site_link(from, to) : !site_copy(from, to))
			return false;
	}
	for (unsigned i = 0; i < DEMO_PLACES; i++) {
		if (!site_make_place(site, first, i))
			return false;
	}
	site_make_network(site, index);
	return true;
}

/* Empties the directory of an earlier run, and nobody else's. */
static bool site_empty(const char *directory)
{
	char marker[600];

	site_text(marker, sizeof marker, "%s/log", directory);
	if (rmdir(directory) == 0 || errno == ENOENT)
		return true;
	if (access(marker, F_OK) != 0) {
		fprintf(stderr, "lcowmig-qemu: %s is not empty, and not from an earlier run\n", directory);
		return false;
	}
	nftw(directory, site_remove, 16, FTW_DEPTH | FTW_PHYS);
	return true;
}

bool demo_make_sites(const demo_options *options, unsigned round, demo_site sites[2])
{
	char marker[600];

	if (round == 0 && !site_empty(options->directory))
		return false;
	if (mkdir(options->directory, 0755) != 0 && errno != EEXIST)
		return site_fail(options->directory);
	site_text(marker, sizeof marker, "%s/log", options->directory);
	if (round == 0 && !site_make_file(marker, 0))
		return false;
	memset(sites, 0, 2 * sizeof sites[0]);
	return site_make(options, &sites[0], 0, round, NULL) && site_make(options, &sites[1], 1, round, &sites[0]);
}

void demo_free_sites(demo_site sites[2])
{
	for (int i = 0; i < 2; i++) {
		free(sites[i].endpoints);
		for (unsigned j = 0; j < DEMO_PLACES; j++)
			free(sites[i].places[j].spec);
		memset(&sites[i], 0, sizeof sites[i]);
	}
}

static char *site_make_spec(const demo_site *site, unsigned index)
{
	static const char *const programs[DEMO_PLACES] = {
		"[\"/bin/sleep\",\"1000000\"]",
		"[\"/bin/counter\",\"c1\",\"50\"]",
		"[\"/bin/counter\",\"c2\",\"30\",\"8\"]",
		"[\"/bin/counter\",\"c3\",\"100\",\"1\",\"203.0.113.9\",\"9\"]",
	};
	char text[2048];

	site_text(
		text, sizeof text,
		"{\"ociVersion\":\"1.1.0\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":%s,\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"},"
		"\"root\":{\"path\":\"rootfs\"},\"annotations\":{\"io.kubernetes.cri.container-type\":\"%s\",\"io.kubernetes.cri.sandbox-"
		"id\":\"%s\"},"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}]},"
		"\"windows\":{\"network\":{\"networkNamespace\":\"%s\"}}}",
		programs[index], index == 0 ? "sandbox" : "container", site->pod_id, site->namespace_id);
	return mock_strdup(text);
}

void demo_name_site(demo_site *site, unsigned hop)
{
	site_text(site->pod_id, sizeof site->pod_id, "pod-%u", hop);
	for (unsigned i = 0; i < DEMO_PLACES; i++) {
		demo_place *place = &site->places[i];

		if (i == 0)
			site_text(place->id, sizeof place->id, "%s", site->pod_id);
		else
			site_text(place->id, sizeof place->id, "counter%u-%u", i, hop);
		free(place->spec);
		place->spec = site_make_spec(site, i);
	}
}

char *demo_document(const demo_options *options)
{
	char *text = mock_alloc(4096);

	site_text(text, 4096,
		  "{\"Owner\":\"lcowmig-qemu\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{\"StopOnReset\":true,"
		  "\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"%s/kernel\",\"InitRdPath\":\"%s/"
		  "initrd\",\"KernelCmdLine\":\"console=ttyS0 quiet "
		  "panic=-1 init=/init -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs -v4 -log-format json -loglevel info\"}},"
		  "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":%u,\"AllowOvercommit\":true},\"Processor\":{\"Count\":1}},"
		  "\"Devices\":{\"Scsi\":{\"0110f83b-de10-5172-a266-78bca56bf50a\":{},\"305891a9-b251-5dfe-91a2-c25d9212275b\":{},"
		  "\"b5d2d8d4-3a75-51bf-945b-3444dc6b8579\":{},\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{}},"
		  "\"HvSocket\":{\"HvSocketConfig\":{\"DefaultBindSecurityDescriptor\":\"D:P(A;;FA;;;SY)(A;;FA;;;BA)\"}}}},"
		  "\"ShouldTerminateOnLastHandleClosed\":true}",
		  options->guest, options->guest, options->memory_mb);
	return text;
}

void demo_rootfs(const demo_place *place, char options[2][1200], const char *ret_list[2], lcowmig_rootfs_mount *ret_mount)
{
	site_text(options[0], 1200, "scratch=%s", place->scratch);
	if (*place->layer)
		site_text(options[1], 1200,
			  "parent-partitioned-layers=[{\"Path\":\"%s\",\"Partition\":0},{\"Path\":\"%s\",\"Partition\":0}]", place->layer,
			  place->base);
	else
		site_text(options[1], 1200, "parent-partitioned-layers=[{\"Path\":\"%s\",\"Partition\":0}]", place->base);
	ret_list[0] = options[0];
	ret_list[1] = options[1];
	*ret_mount = (lcowmig_rootfs_mount){
		.type = "lcow-partitioned-layer", .source = place->scratch, .target = "", .options = ret_list, .n_options = 2
	};
}
