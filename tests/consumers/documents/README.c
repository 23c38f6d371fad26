/*
 * Runs the README's move_away on the source that docs/porting.md builds; what it sends arrives at that page's destination: the envelope cannot be sent, then
 * all goes well, the second time with a token that needs two tries. host.c and block.c are what was taken out of the two documents.
 */
#define main porting_main
#include "host.c"
#undef main
#include "block.c"

struct wire {
	struct runtime runtime;
	struct host *to;
	struct transport *transport;
	const char *session;
	uint8_t envelope[65536];
	size_t envelope_size;
	unsigned sent;
	unsigned fails; /* this send does; 0: none */
};

int porting_main(void);

/* The envelope comes first, the token later; by then the source has filled the transport. */
static int deliver(struct runtime *runtime, const void *bytes, size_t size)
{
	struct wire *wire = (struct wire *)runtime;

	if (++wire->sent == wire->fails)
		return -1;
	if (!wire->envelope_size) {
		memcpy(wire->envelope, bytes, size);
		wire->envelope_size = size;
		receive_sandbox(wire->to, wire->session, wire->envelope, size);
		return 0;
	}
	move_memory(wire->to, wire->session, wire->transport);
	finalize(wire->to, wire->session, LCOWMIG_FINALIZE_RESUME, bytes, size);
	return 0;
}

static lcowmig_status move(struct host *from, struct host *to, const char *session, unsigned fails, lcowmig_error *error)
{
	struct transport transport = { .is_full = false }, *descriptor = &transport;
	struct wire wire = { .to = to, .transport = &transport, .session = session, .fails = fails };

	wire.runtime.send = deliver;
	wire.runtime.socket_size = sizeof descriptor;
	memcpy(wire.runtime.socket, &descriptor, sizeof descriptor);
	return move_away(&wire.runtime, from->sandbox, session, error);
}

static void expect(bool is_so, const char *what, const lcowmig_error *error)
{
	if (is_so)
		return;
	printf("not so: %s: %s\n", what, error->message);
	exit(EXIT_FAILURE);
}

static lcowmig_vm_state state_of(struct host *host)
{
	return lcowmig_vm_get_state(lcowmig_sandbox_vm(host->sandbox));
}

int main(void)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	struct host a, b;

	for (unsigned retries = 0; retries < 2; retries++) {
		make_host(&a, "A", "sandbox-a");
		make_host(&b, "B", NULL);
		start_pod(&a);
		expect(move(&a, &b, "first", 1, &error) == LCOWMIG_E_UNAVAILABLE, "an envelope that is not sent moves nothing", &error);
		expect(state_of(&a) == LCOWMIG_VM_RUNNING && state_of(&b) == LCOWMIG_VM_NOT_CREATED, "it runs on at A", &error);
		expect(lcowmig_migration_get_state(lcowmig_sandbox_migration(a.sandbox)) == LCOWMIG_MIGRATION_IDLE, "A has left the session", &error);
		expect(move(&a, &b, "second", retries ? 2 : 0, &error) == LCOWMIG_OK, "it moves", &error);
		expect(state_of(&a) == LCOWMIG_VM_TERMINATED && state_of(&b) == LCOWMIG_VM_RUNNING, "it runs at B alone", &error);
		free_host(&a);
		free_host(&b);
	}
	puts("consumer: ok");
	return porting_main();
}
