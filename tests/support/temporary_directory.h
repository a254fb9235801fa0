#ifndef WAYBILL_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H
#define WAYBILL_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H

/*
 * A directory of a test's own under TMPDIR (default /tmp). Where the machine does not give one the
 * test cannot go on and aborts.
 */
struct temporary_directory {
    char path[256];
};

void temporary_directory_create(struct temporary_directory *directory);

/* With all that is in it. */
void temporary_directory_remove(struct temporary_directory *directory);

#endif
