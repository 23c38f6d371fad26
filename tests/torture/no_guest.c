#include "torture.h"

const torture_guest_ops *const torture_guest;
