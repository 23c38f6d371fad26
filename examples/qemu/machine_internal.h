/* A machine from the inside: the command line, and the devices. */
#ifndef QEMU_MACHINE_INTERNAL_H
#define QEMU_MACHINE_INTERNAL_H

#include "machine.h"

/* Descriptors as the new process has them. */
#define CHILD_QMP_FD 3
#define CHILD_MUX_FD 4
#define CHILD_NIC_FD 5 /* and the following */

/* command_line.c: a NULL-terminated list of texts that the caller frees. */
char **machine_command_line(const qemu_machine *machine);

/* devices.c */
cJSON *disk_block_device(const struct qemu_disk *disk);
cJSON *disk_device(const struct qemu_disk *disk);
/* Makes the cards that the source had; their wires' other ends are put in `child_fds`, -1 where there is no card. */
void nics_from_source(qemu_machine *machine, const cJSON *compatibility, int child_fds[QEMU_NICS]);
void nic_close(struct qemu_nic *nic);

#endif
