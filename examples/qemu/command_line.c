/* The words with which QEMU is started. */
#include "machine_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 700u

struct words {
	char *list[WORDS_MAX + 1];
	size_t n;
};

static void words_add(struct words *words, const char *format, ...)
{
	char word[8192];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(word, sizeof word, format, arguments);
	va_end(arguments);
	if (words->n == WORDS_MAX)
		abort();
	words->list[words->n++] = mock_strdup(word);
}

static void words_add_json(struct words *words, const char *option, cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	words_add(words, "%s", option);
	words_add(words, "%s", text);
	cJSON_free(text);
	cJSON_Delete(json);
}

static void words_add_machine(struct words *words, const qemu_machine *machine)
{
	const struct qemu_document *document = machine->config.document;

	words_add(words, "qemu-system-x86_64");
	words_add(words, "-nodefaults");
	words_add(words, "-no-user-config");
	words_add(words, "-no-reboot");
	words_add(words, "-S");
	words_add(words, "-display");
	words_add(words, "none");
	words_add(words, "-machine");
	words_add(words, "pc,accel=%s", machine->config.use_kvm ? "kvm" : "tcg");
	words_add(words, "-cpu");
	words_add(words, "qemu64");
	words_add(words, "-m");
	words_add(words, "%lluM", (unsigned long long)document->memory_mb);
	words_add(words, "-smp");
	words_add(words, "%u", (unsigned)document->processors);
	words_add(words, "-kernel");
	words_add(words, "%s", document->kernel);
	words_add(words, "-append");
	words_add(words, "%s", document->command_line);
	if (*document->initrd) {
		words_add(words, "-initrd");
		words_add(words, "%s", document->initrd);
	}
	if (document->is_destination) {
		words_add(words, "-incoming");
		words_add(words, "defer");
	}
}

static void words_add_devices(struct words *words, const qemu_machine *machine)
{
	const struct qemu_document *document = machine->config.document;

	words_add(words, "-chardev");
	words_add(words, "socket,id=qmp,fd=%d", CHILD_QMP_FD);
	words_add(words, "-mon");
	words_add(words, "chardev=qmp,mode=control");
	words_add(words, "-serial");
	words_add(words, "file:%s", machine->config.console);
	words_add(words, "-chardev");
	words_add(words, "socket,id=mux,fd=%d", CHILD_MUX_FD);
	words_add(words, "-device");
	words_add(words, "virtio-serial-pci,id=serial,addr=3,max_ports=2");
	words_add(words, "-device");
	words_add(words, "virtserialport,bus=serial.0,nr=1,chardev=mux,name=lcow.mux");
	for (unsigned i = 0; i < QEMU_CONTROLLERS; i++) {
		if (!document->controllers[i])
			continue;
		words_add(words, "-device");
		words_add(words, "virtio-scsi-pci,id=scsi%u,addr=%u", i, 4 + i);
	}
	for (size_t i = 0; i < document->n_disks; i++) {
		words_add_json(words, "-blockdev", disk_block_device(&document->disks[i]));
		words_add_json(words, "-device", disk_device(&document->disks[i]));
	}
	for (unsigned i = 0; i < QEMU_NICS; i++) {
		if (!machine->nics[i].is_there)
			continue;
		words_add(words, "-netdev");
		words_add(words, "socket,id=wire%u,fd=%u", i, CHILD_NIC_FD + i);
		words_add(words, "-device");
		words_add(words, "virtio-net-pci,id=nic%u,netdev=wire%u,addr=%x,mac=%s,romfile=", i, i, 16 + i, machine->nics[i].mac);
	}
}

char **machine_command_line(const qemu_machine *machine)
{
	struct words *words = mock_alloc(sizeof *words);
	char **list;

	words_add_machine(words, machine);
	words_add_devices(words, machine);
	list = mock_alloc((words->n + 1) * sizeof *list);
	memcpy(list, words->list, words->n * sizeof *list);
	free(words);
	return list;
}
