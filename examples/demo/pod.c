/*
 * What is inside the demo's sandbox: a sandbox container and n workload containers made from sample config.json files, on one disk of
 * shared read-only layers and a scratch disk each. Every host keeps them in directories of its own, so everything has another path there.
 */
#include "demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *pod_path(const char *directory, const char *name, const char *suffix)
{
	size_t size = strlen(directory) + strlen(name) + strlen(suffix) + 2;
	char *path = mock_alloc(size);

	snprintf(path, size, "%s/%s%s", directory, name, suffix);
	return path;
}

static bool pod_make_directory(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return true;
	fprintf(stderr, "lcowmig-demo: cannot make the directory %s: %s\n", path, strerror(errno));
	return false;
}

/* A disk is a file that is there; nobody reads what is on it. */
static char *pod_make_disk(const char *directory, const char *name, const char *suffix)
{
	char *path = pod_path(directory, name, suffix);
	FILE *file = fopen(path, "wb");
	char *whole;

	if (!file || fputs("a disk of the demo\n", file) < 0 || fclose(file) != 0) {
		fprintf(stderr, "lcowmig-demo: cannot write %s: %s\n", path, strerror(errno));
		free(path);
		return NULL;
	}
	whole = realpath(path, NULL); /* as the host will call it */
	free(path);
	return whole;
}

static char *pod_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = mock_alloc(65536);
	size_t size;

	if (!file) {
		fprintf(stderr, "lcowmig-demo: cannot read %s: %s\n", path, strerror(errno));
		free(text);
		return NULL;
	}
	size = fread(text, 1, 65535, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

static void pod_annotate(cJSON *spec, const char *key, const char *value)
{
	cJSON *annotations = cJSON_GetObjectItemCaseSensitive(spec, "annotations");

	cJSON_DeleteItemFromObjectCaseSensitive(annotations, key);
	cJSON_AddStringToObject(annotations, key, value);
}

/* The sample, completed as an engine would: ids, namespace, and no layers, which come with the create request. */
static char *pod_make_spec(const demo_options *options, const char *sample, const char *pod_id, const char *namespace_id)
{
	char *path = pod_path(options->specs, sample, ".json");
	char *text = pod_read(path);
	cJSON *spec = text ? cJSON_Parse(text) : NULL;
	cJSON *network = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(spec, "windows"), "network");

	free(text);
	free(path);
	if (!spec) {
		fprintf(stderr, "lcowmig-demo: %s.json in %s is not JSON\n", sample, options->specs);
		return NULL;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(spec, "windows"), "layerFolders");
	pod_annotate(spec, "io.kubernetes.cri.sandbox-id", pod_id);
	if (network)
		cJSON_ReplaceItemInObjectCaseSensitive(network, "networkNamespace", cJSON_CreateString(namespace_id));
	text = cJSON_Print(spec);
	cJSON_Delete(spec);
	return text;
}

static bool pod_make_place(const demo_options *options, demo_pod *pod, unsigned index, const char *half)
{
	static const char *const samples[] = { "web", "worker" };
	demo_place *place = &pod->places[index];
	const char *sample = index == 0 ? "pause" : samples[(index - 1) % 2];
	char id[80], pod_id[80], *config;
	FILE *file;

	snprintf(pod_id, sizeof pod_id, "demo-pod-%s", half);
	if (index == 0)
		snprintf(id, sizeof id, "%s", pod_id);
	else
		snprintf(id, sizeof id, "demo-%s-%u-%s", sample, index, half);
	place->is_sandbox = index == 0;
	place->id = mock_strdup(id);
	place->bundle = pod_path(pod->directory, id, "");
	place->stdout_path = pod_path(place->bundle, "stdout", ".log");
	place->spec = pod_make_spec(options, sample, pod_id, pod->namespace_id);
	if (!place->spec || !pod_make_directory(place->bundle))
		return false;
	unlink(place->stdout_path);
	place->scratch = pod_make_disk(place->bundle, "sandbox", ".vhdx");
	config = pod_path(place->bundle, "config", ".json");
	file = fopen(config, "wb");
	if (file) {
		fputs(place->spec, file);
		fclose(file);
	}
	free(config);
	return place->scratch != NULL && file != NULL;
}

/* The endpoint of a pod has its address everywhere; id and hardware are the host's. */
static void pod_make_network(demo_pod *pod, bool is_source)
{
	char text[1024];

	snprintf(pod->namespace_id, sizeof pod->namespace_id, "%s",
		 is_source ? "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10" : "c0a8f5d2-6e01-4f4e-8f43-2f7f5f1f9b21");
	snprintf(text, sizeof text,
		 "[{\"ID\":\"%s\",\"Name\":\"demo_eth0\",\"HostComputeNetwork\":\"0c7a0b1e-7e6b-4c39-a2a1-6b2f4b9f0d11\","
		 "\"HostComputeNamespace\":\"%s\",\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24}],"
		 "\"Dns\":{\"Domain\":\"cluster.local\",\"ServerList\":[\"10.96.0.10\"]},"
		 "\"Routes\":[{\"NextHop\":\"10.244.1.1\",\"DestinationPrefix\":\"0.0.0.0/0\"}],\"MacAddress\":\"%s\"}]",
		 is_source ? "f7b5d1a0-2f3e-4b6c-8d9e-112233445566" : "0d9c3a44-51b7-4f0e-a7d3-665544332211", pod->namespace_id,
		 is_source ? "00-15-5D-01-02-03" : "00-15-5D-0A-0B-0C");
	pod->endpoints = mock_strdup(text);
}

demo_pod *demo_pod_new(const demo_options *options, const char *half, unsigned n_workloads)
{
	demo_pod *pod = mock_alloc(sizeof *pod);
	const char *temporary = getenv("TMPDIR");
	char template[400];
	bool made;

	if (options->directory) {
		pod->directory = pod_path(options->directory, half, "");
		made = pod_make_directory(options->directory) && pod_make_directory(pod->directory);
	} else {
		snprintf(template, sizeof template, "%s/lcowmig-%s-XXXXXX", temporary && *temporary ? temporary : "/tmp", half);
		made = mkdtemp(template) != NULL;
		pod->directory = mock_strdup(template);
	}
	pod_make_network(pod, strcmp(half, "source") == 0);
	pod->places = mock_alloc((n_workloads + 1) * sizeof *pod->places);
	pod->n_places = n_workloads + 1;
	if (made)
		pod->layers = pod_make_disk(pod->directory, "layers", ".vhd");
	made = made && pod->layers;
	for (unsigned i = 0; made && i < pod->n_places; i++)
		made = pod_make_place(options, pod, i, half);
	if (made)
		return pod;
	demo_pod_free(pod, false);
	return NULL;
}

static void pod_drop_file(char *path, bool keep)
{
	if (path && !keep)
		unlink(path);
	free(path);
}

void demo_pod_free(demo_pod *pod, bool keep)
{
	for (unsigned i = 0; pod && i < pod->n_places; i++) {
		demo_place *place = &pod->places[i];

		pod_drop_file(place->scratch, keep);
		pod_drop_file(place->stdout_path, keep);
		if (place->bundle)
			pod_drop_file(pod_path(place->bundle, "config", ".json"), keep);
		if (place->bundle && !keep)
			rmdir(place->bundle);
		free(place->bundle);
		free(place->id);
		free(place->spec);
	}
	if (!pod)
		return;
	pod_drop_file(pod->layers, keep);
	if (pod->directory && !keep)
		rmdir(pod->directory);
	free(pod->directory);
	free(pod->endpoints);
	free(pod->places);
	free(pod);
}

char *demo_pod_document(unsigned memory_mb)
{
	static const char format[] =
		"{\"Owner\":\"lcowmig-demo\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{\"StopOnReset\":true,"
		"\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"vmlinux\",\"KernelCmdLine\":\"root=/dev/sda ro rootwait "
		"init=/init "
		"quiet pci=off nr_cpus=2 -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs -v4 -log-format json -loglevel info\"}},"
		"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":%u,\"AllowOvercommit\":true},\"Processor\":{\"Count\":2}},"
		"\"Devices\":{\"Scsi\":{\"0110f83b-de10-5172-a266-78bca56bf50a\":{},\"305891a9-b251-5dfe-91a2-c25d9212275b\":{},"
		"\"b5d2d8d4-3a75-51bf-945b-3444dc6b8579\":{},\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{"
		"\"Type\":\"VirtualDisk\",\"Path\":\"%s\",\"ReadOnly\":true}}}},"
		"\"HvSocket\":{\"HvSocketConfig\":{\"DefaultBindSecurityDescriptor\":\"D:P(A;;FA;;;SY)(A;;FA;;;BA)\"}}}},"
		"\"ShouldTerminateOnLastHandleClosed\":true}";
	size_t size = sizeof format + sizeof DEMO_BOOT_DISK + 16;
	char *document = mock_alloc(size);

	snprintf(document, size, format, memory_mb, DEMO_BOOT_DISK);
	return document;
}

void demo_pod_rootfs(const demo_pod *pod, const demo_place *place, char *ret_options[2], lcowmig_rootfs_mount *ret_mount)
{
	size_t size = 2 * strlen(pod->layers) + strlen(place->scratch) + 160;

	ret_options[0] = mock_alloc(size);
	ret_options[1] = mock_alloc(size);
	snprintf(ret_options[0], size, "scratch=%s", place->scratch);
	snprintf(ret_options[1], size, "parent-partitioned-layers=[{\"Path\":\"%s\",\"Partition\":2},{\"Path\":\"%s\",\"Partition\":1}]",
		 pod->layers, pod->layers);
	*ret_mount = (lcowmig_rootfs_mount){ .type = "lcow-partitioned-layer",
					     .source = place->scratch,
					     .target = "",
					     .options = (const char *const *)ret_options,
					     .n_options = 2 };
}
