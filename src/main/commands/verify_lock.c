/* A shared flock on the file that a server holds alone. */
#include "main/commands/verify_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

struct error verify_lock(const char *what, const char *lock_name, int *lock)
{
    char name[4096 + 32];
    snprintf(name, sizeof name, "%s%s", what, lock_name);
    *lock = open(name, O_RDONLY | O_CLOEXEC);
    if (*lock < 0 || flock(*lock, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return error_none();
    return error_make(ERROR_LOCKED, "%.200s: a server has it open", what);
}

void verify_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
