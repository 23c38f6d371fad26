#include "../cJSON.h"
