/* mkdtemp and a walk that removes from the leaves up. */
#include "tests/support/temporary_directory.h"

#include "platform/base/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void temporary_directory_create(struct temporary_directory *directory)
{
    const char *parent = getenv("TMPDIR");
    int size = snprintf(directory->path, sizeof directory->path, "%s/waybill-test-XXXXXX",
                        parent == NULL ? "/tmp" : parent);
    CHECK(size > 0 && (size_t)size < sizeof directory->path);
    CHECK(mkdtemp(directory->path) != NULL);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void temporary_directory_remove(struct temporary_directory *directory)
{
    enum { descriptors_max = 16 };
    CHECK(nftw(directory->path, remove_one, descriptors_max, FTW_DEPTH | FTW_PHYS) == 0);
}
