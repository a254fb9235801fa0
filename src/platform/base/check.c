/* CHECK's slow path. It writes with stdio only, since it may run in any state of the process. */
#include "platform/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line, const char *function)
{
    fprintf(stderr, "waybill: internal error: %s:%d: %s: CHECK(%s) does not hold\n", file, line,
            function, condition);
    fflush(stderr);
    abort();
}
