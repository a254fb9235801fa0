#ifndef WAYBILL_TESTS_SUPPORT_STORAGE_CRASH_FILE_SYSTEM_H
#define WAYBILL_TESTS_SUPPORT_STORAGE_CRASH_FILE_SYSTEM_H

#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A disk in memory that fails when a test says so; the second implementation of the file system
 * port.
 *
 *     struct crash_file_system *disk = crash_file_system_create(seed);
 *     crash_file_system_cut_power(disk, 17);
 *     ... run the program on crash_file_system_port(disk) until it gives up ...
 *     struct crash_file_system *after =
 *         crash_file_system_after_power_failure(disk, UNSYNCED_RANDOM, outcome);
 *     ... close what the program had open; crash_file_system_destroy(disk);
 *     ... run it again on `after` ...
 *
 * What it promises is what the port promises and not more:
 *   - Written bytes are seen by readers at once, and are durable after file_sync. In a power
 * failure each write since then is, by chance, kept, lost or garbled, as a whole or for each sector
 * of 512 bytes on its own, whatever the others did; a file may keep its new length without the
 * bytes. A garbled sector is lost whole, with what it held before.
 *   - Names made, renamed and removed are durable after file_system_sync_directory. In a power
 * failure each change since then is, by chance, kept or lost on its own. Directories are durable at
 * once.
 *   - A failed file_sync leaves each pending write kept, lost or garbled *on the disk*, while
 * readers still see the new bytes, and later syncs succeed without writing them: as Linux does
 * (Rebello, ATC 2020). Opening the file for writing again shows what the disk holds.
 *   - Locks go with the process.
 *
 * All chance comes from seeds: the same calls give the same bytes. Its own memory is malloc's and
 * never fails, so that memory_fail_after hits only what is tested. Thread: any.
 */
struct crash_file_system;

struct crash_file_system *crash_file_system_create(uint64_t seed);

/* All its files must be closed. NULL is allowed. */
void crash_file_system_destroy(struct crash_file_system *disk);

/* The port, for the code under test. */
struct file_system *crash_file_system_port(struct crash_file_system *disk);

/* --- faults --- */

enum crash_operation {
    CRASH_OPERATION_READ,
    CRASH_OPERATION_WRITE, /* truncate too */
    CRASH_OPERATION_SYNC,  /* of a file; opening one for writing counts too */
    CRASH_OPERATION_NAME,  /* create, rename, remove, and the first lock of a file */
    CRASH_OPERATION_SYNC_DIRECTORY,
    CRASH_OPERATIONS, /* how many there are */
};

struct crash_fault {
    enum crash_operation operation;
    uint64_t at;          /* the at-th of them from now on: 1 = the next, 0 = never */
    enum error_code code; /* what it answers, e.g. ERROR_INPUT_OUTPUT, ERROR_DISK_FULL */
    bool partly;          /* of a write, a part of the bytes arrives all the same */
    bool for_good;        /* and so do all later ones */
};

/* Replaces the fault of the same operation. */
void crash_file_system_set_fault(struct crash_file_system *disk, const struct crash_fault *fault);

/*
 * From now on files can grow by `bytes` in all; a write beyond that arrives as far as there is room
 * and answers DISK_FULL. Removed files give their room back. UINT64_MAX = room without end.
 */
void crash_file_system_set_room(struct crash_file_system *disk, uint64_t bytes);

/*
 * The power fails during the at-th change from now (write, sync, name, sync of a directory; 1 = the
 * next, 0 = never): the change has begun and not ended, and from then on everything but file_close
 * answers INPUT_OUTPUT.
 */
void crash_file_system_cut_power(struct crash_file_system *disk, uint64_t at);

/* --- what happened --- */

/* How many operations of a kind there were, failed ones too; opened copies start from 0. */
uint64_t crash_file_system_count(struct crash_file_system *disk, enum crash_operation operation);

/* How many changes (see cut_power) there were. */
uint64_t crash_file_system_changes(struct crash_file_system *disk);

/* --- what is left --- */

enum unsynced_fate { UNSYNCED_LOST, UNSYNCED_KEPT, UNSYNCED_RANDOM };

/*
 * A new disk as the machine finds it after a power failure at this moment, without faults and
 * locks. `outcome` seeds the chance of UNSYNCED_RANDOM: call it several times for several outcomes.
 * The disk itself does not change.
 */
struct crash_file_system *crash_file_system_after_power_failure(struct crash_file_system *disk,
                                                                enum unsynced_fate fate,
                                                                uint64_t outcome);

/* A new disk as after kill -9 at this moment: nothing is lost, what was pending is pending. */
struct crash_file_system *crash_file_system_after_kill(struct crash_file_system *disk);

#endif
