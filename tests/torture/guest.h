/* Hosts whose guest ops are the real bridge's. world.c is built to make these instead of purely scripted ones. */
#ifndef TORTURE_GUEST_H
#define TORTURE_GUEST_H

#include "host.h"

test_host *guest_host_new(void);
void guest_host_free(test_host *host);

#endif
