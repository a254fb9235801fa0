#ifndef WAYBILL_MAIN_COMMANDS_VERIFY_LOCK_H
#define WAYBILL_MAIN_COMMANDS_VERIFY_LOCK_H

#include "platform/base/error.h"

/*
 * Keeps servers away while a store is read: what is being written would look damaged. `what` is the
 * store's path and `lock_name` its lock's behind it ("/lock"). *lock is for verify_unlock, -1:
 * there is no lock, so nobody can hold it. Error: LOCKED. Thread: the main thread.
 */
__attribute__((warn_unused_result)) struct error verify_lock(const char *what,
                                                             const char *lock_name, int *lock);
void verify_unlock(int lock);

#endif
