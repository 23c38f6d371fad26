/*
 * One QEMU process: started from an HCS document, driven over QMP, and seen to its end. What HCS would call a compute system.
 *
 * The devices have fixed places on the PCI bus, so that the guest knows them and both ends of a migration agree:
 *
 *     3        virtio-serial with the port that mux.h speaks on
 *     4 …  7   SCSI controllers 0 … 3
 *     16 … 23  network cards, plugged in at run time
 */
#ifndef QEMU_MACHINE_H
#define QEMU_MACHINE_H

#include <sys/types.h>

#include "document.h"
#include "qmp.h"

#define QEMU_NICS 8u

typedef struct qemu_machine qemu_machine;

struct qemu_nic {
	qemu_machine *machine;
	bool is_there;
	bool is_stale;   /* the source's: to be taken out as soon as the guest runs here */
	bool is_leaving; /* asked to, but the guest has not let it go yet */
	char id[40];     /* HCS's name for it; "" for a stale one */
	char mac[24];    /* 00:15:5d:… */
	int fd;          /* our end of its wire */
	mock_watch *watch;
	uint8_t *in;     /* frames in part */
	size_t in_size;
};

struct qemu_machine_config {
	mock_loop *loop;
	const char *id;
	const struct qemu_document *document;
	const char *console; /* file that gets what the guest's kernel prints; with ".qemu" added, what QEMU does */
	bool use_kvm;
	void *user;
	void (*event)(void *user, const char *name, const cJSON *data, int64_t at);
	/* The process has ended; `status` as from waitpid. Once, from the loop. */
	void (*ended)(void *user, int status);
	/* An Ethernet frame from a card. */
	void (*packet)(void *user, struct qemu_nic *nic, const uint8_t *bytes, size_t size);
};

struct qemu_machine {
	struct qemu_machine_config config;
	pid_t pid; /* 0 when it has ended */
	mock_watch *end_watch;
	int pidfd;
	qmp *monitor;
	int mux_fd; /* -1 when it has been taken over */
	struct qemu_nic nics[QEMU_NICS];
};

/* NULL, with a sentence in `reason`, when QEMU cannot be started. The config's texts and document are used during the call only. */
qemu_machine *qemu_machine_new(const struct qemu_machine_config *config, char *reason, size_t size);
/* Kills it when it still runs. */
void qemu_machine_free(qemu_machine *machine);
void qemu_machine_kill(qemu_machine *machine);

/* Several commands that make one step: the first error is theirs, and `done` is called when all have ended. */
typedef struct qemu_step qemu_step;
typedef void (*qemu_step_fn)(void *user, const cJSON *last_answer, const char *error);

qemu_step *qemu_step_new(qemu_machine *machine, qemu_step_fn done, void *user);
void qemu_step_add(qemu_step *step, const char *command, cJSON *arguments);
/* Arguments from text with "%s" and "%d", as for printf; texts are quoted where the format has no quotes of its own. */
void qemu_step_addf(qemu_step *step, const char *command, const char *format, ...) __attribute__((format(printf, 3, 4)));
void qemu_step_end(qemu_step *step); /* all have been added */

void qemu_machine_plug_disk(qemu_machine *machine, const struct qemu_disk *disk, qemu_step *step);
bool qemu_machine_has_nic_place(const qemu_machine *machine);
/* Needs a free place. */
void qemu_machine_plug_nic(qemu_machine *machine, const char *id, const char *mac, qemu_step *step);
void qemu_machine_unplug_nic(qemu_machine *machine, struct qemu_nic *nic, qemu_step *step);
struct qemu_nic *qemu_machine_find_nic(qemu_machine *machine, const char *id);
/* A device has left the machine; its other half goes too. */
void qemu_machine_deleted(qemu_machine *machine, const char *device);
void qemu_nic_send(struct qemu_nic *nic, const uint8_t *bytes, size_t size);

#endif
