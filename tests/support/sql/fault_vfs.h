#ifndef WAYBILL_TESTS_SUPPORT_SQL_FAULT_VFS_H
#define WAYBILL_TESTS_SUPPORT_SQL_FAULT_VFS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * SQLite's file system with faults: the machine's own, under a table that counts and fails when a
 * test says so. Once registered it is the default for all connections of the process. Thread: any.
 */
struct fault_vfs {
    _Atomic int64_t syncs;      /* so far */
    _Atomic int64_t writes;     /* so far; truncations count, too */
    _Atomic int64_t fail_sync;  /* this one fails, once; -1 = none */
    _Atomic int64_t fail_write; /* this one fails with an I/O error, once; -1 = none */
    _Atomic int64_t full_from;  /* this write and all later ones find no space; -1 = none */
};

extern struct fault_vfs fault_vfs;

/* Registers it, with no faults, and sets the counters to zero. May be called again. */
void fault_vfs_reset(void);

#endif
