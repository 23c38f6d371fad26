/*
 * The real bridge with a guest: every frame between them is lost, cut, doubled, delayed, refused or the last one. And every allocation fails, and
 * every await is cancelled.
 */
#include "torture.h"

static const torture_kind kinds[] = {
	TORTURE_FRAME_DROP, TORTURE_FRAME_CUT, TORTURE_FRAME_TWICE, TORTURE_FRAME_DELAY, TORTURE_FRAME_REFUSE,
	TORTURE_FRAME_GARBAGE, TORTURE_FRAME_CLOSE, TORTURE_ALLOCATION, TORTURE_ALLOCATIONS, TORTURE_AWAIT_CANCEL,
	TORTURE_AWAIT_INTERRUPT, TORTURE_AWAIT_REFUSE, TORTURE_AWAIT_REFUSE_ALL,
};

int main(void)
{
	return torture_main("guest", kinds, (int)(sizeof kinds / sizeof kinds[0]));
}
