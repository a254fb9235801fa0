/*
 * A shim over SQLite's "unix" file system: each file has the real one behind it, calls go through,
 * and writes, truncations and syncs are counted and perhaps failed before the real one sees them.
 */
#include "tests/support/sql/fault_vfs.h"

#include "platform/base/check.h"
#include "platform/sql/sqlite_connection.h"

#include <sqlite3.h>
#include <string.h>

struct fault_vfs fault_vfs = {.fail_sync = -1, .fail_write = -1, .full_from = -1};

static sqlite3_vfs *real_vfs;

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct, in the same block */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

static int count_write(void)
{
    int64_t number = atomic_fetch_add(&fault_vfs.writes, 1);
    int64_t full_from = atomic_load(&fault_vfs.full_from);
    if (full_from >= 0 && number >= full_from)
        return SQLITE_FULL;
    return number == atomic_load(&fault_vfs.fail_write) ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int fault_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    int code = count_write();
    return code != SQLITE_OK ? code
                             : real_of(file)->pMethods->xWrite(real_of(file), data, size, offset);
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = count_write();
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    if (atomic_fetch_add(&fault_vfs.syncs, 1) == atomic_load(&fault_vfs.fail_sync))
        return SQLITE_IOERR_FSYNC;
    (void)file;
    (void)flags;
    return SQLITE_OK; /* no machine crashes here: a real sync would only take its time */
}

/* --- straight through --- */

static int fault_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int fault_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), data, size, offset);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int fault_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int fault_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int fault_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int fault_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int fault_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void fault_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int fault_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_barrier,
    .xShmUnmap = fault_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct fault_file *fault = (struct fault_file *)file;
    (void)vfs;
    fault->real = (sqlite3_file *)(fault + 1);
    fault->base.pMethods = NULL;
    int code = real_vfs->xOpen(real_vfs, name, fault->real, flags, out);
    if (fault->real->pMethods != NULL)
        fault->base.pMethods = &fault_methods;
    return code;
}

void fault_vfs_reset(void)
{
    static sqlite3_vfs vfs;
    if (real_vfs == NULL) {
        sqlite_memory_use(); /* before SQLite is used at all */
        real_vfs = sqlite3_vfs_find("unix");
        CHECK(real_vfs != NULL);
        vfs = *real_vfs; /* its other functions get this struct, whose private data is the same */
        vfs.zName = "fault";
        vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
        vfs.xOpen = fault_open;
        CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
    }
    atomic_store(&fault_vfs.syncs, 0);
    atomic_store(&fault_vfs.writes, 0);
    atomic_store(&fault_vfs.fail_sync, -1);
    atomic_store(&fault_vfs.fail_write, -1);
    atomic_store(&fault_vfs.full_from, -1);
}
