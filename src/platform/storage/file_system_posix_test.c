/*
 * Goal: the machine's file system keeps the port's contract. Method: a temporary directory; where
 * the kernel would have to fail, a limit or a full device of its own (/dev/full) stands in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/memory.h"
#include "platform/storage/file_system.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct file_system *fs;
static char directory[64];

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s", error.detail);
}

/* The code, and the path in the detail. */
static void assert_fails(struct error error, enum error_code code, const char *path)
{
    if (error.code != code || strstr(error.detail, path) == NULL)
        fail_msg("got %s, not %s: %s", error_text(error.code), error_text(code), error.detail);
}

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    fs = file_system_posix();
    strcpy(directory, "/tmp/waybill-files-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command);
}

static struct file *create(const char *name, const char *content)
{
    struct file *file = NULL;
    assert_good(file_system_open(fs, path_of(name), FILE_OPEN_CREATE, &file));
    assert_good(file_write(file, 0, content, strlen(content)));
    return file;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    char bytes[16];
    size_t got;
    uint64_t size;
    struct file *file = create("file", "0123456789");
    assert_good(file_write(file, 3, "abc", 3));
    assert_good(file_write(file, 12, "x", 1));
    assert_good(file_sync(file));
    assert_good(file_size(file, &size));
    assert_int_equal(size, 13);
    assert_good(file_read(file, 2, bytes, sizeof bytes, &got));
    assert_int_equal(got, 11);
    assert_memory_equal(bytes, "2abc6789\0\0x", 11);
    assert_good(file_read(file, 13, bytes, sizeof bytes, &got));
    assert_int_equal(got, 0);
    assert_good(file_truncate(file, 4));
    assert_good(file_read(file, 0, bytes, sizeof bytes, &got));
    assert_int_equal(got, 4);
    file_close(file);
    file_close(NULL);
}

static void open_modes_need_what_they_say(void **state)
{
    (void)state;
    struct file *file = NULL;
    const char *path = path_of("file");
    assert_fails(file_system_open(fs, path, FILE_OPEN_READ, &file), ERROR_NOT_FOUND, path);
    assert_fails(file_system_open(fs, path, FILE_OPEN_READ_WRITE, &file), ERROR_NOT_FOUND, path);
    file_close(create("file", "content"));
    assert_fails(file_system_open(fs, path, FILE_OPEN_CREATE, &file), ERROR_INPUT_OUTPUT, path);
    assert_good(file_system_open(fs, path, FILE_OPEN_READ, &file));
    assert_fails(file_write(file, 0, "x", 1), ERROR_INPUT_OUTPUT, path);
    file_close(file);
    assert_good(file_system_open(fs, path, FILE_OPEN_READ_WRITE, &file));
    assert_good(file_write(file, 0, "C", 1));
    char bytes[7];
    size_t got;
    assert_good(file_read(file, 0, bytes, sizeof bytes, &got));
    assert_memory_equal(bytes, "Content", 7);
    file_close(file);
}

static void full_disk_is_told_apart(void **state)
{
    (void)state;
    struct file *file; /* a lock: opening for writing would sync, which a device refuses */
    assert_good(file_system_lock(fs, "/dev/full", &file));
    assert_fails(file_write(file, 0, "x", 1), ERROR_DISK_FULL, "/dev/full");
    file_close(file);
}

/* A write that the kernel cuts short is continued, and its failure is told. */
static void short_write_is_continued_until_it_fails(void **state)
{
    (void)state;
    struct rlimit before;
    struct file *file = create("file", "");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char bytes[2000] = {0};
    struct error error = file_write(file, 0, bytes, sizeof bytes);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_fails(error, ERROR_INPUT_OUTPUT, "file");
    uint64_t size;
    assert_good(file_size(file, &size));
    assert_int_equal(size, 1000);
    file_close(file);
}

static void lock_is_exclusive_and_goes_with_its_holder(void **state)
{
    (void)state;
    struct file *lock = NULL;
    struct file *second = NULL;
    const char *path = path_of("lock");
    assert_good(file_system_lock(fs, path, &lock));
    assert_fails(file_system_lock(fs, path, &second), ERROR_LOCKED, path);
    file_close(lock);

    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        bool locked = !error_is(file_system_lock(fs, path, &lock));
        if (write(ready[1], locked ? "y" : "n", 1) == 1)
            pause();
        _exit(1);
    }
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_fails(file_system_lock(fs, path, &second), ERROR_LOCKED, path);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_good(file_system_lock(fs, path, &second));
    file_close(second);
    close(ready[0]);
    close(ready[1]);
}

static void add_name(void *context, const char *name)
{
    char *names = context;
    strcat(names, name);
    strcat(names, " ");
}

static void names_are_listed_in_order_of_bytes(void **state)
{
    (void)state;
    char names[256] = "";
    static const char *const made[] = {"b", "a", "B", "10", "9", "z", "aa"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        file_close(create(made[i], ""));
    assert_good(file_system_create_directory(fs, path_of("directory")));
    assert_good(file_system_list(fs, directory, add_name, names));
    assert_string_equal(names, "10 9 B a aa b directory z ");
    assert_fails(file_system_list(fs, path_of("none"), add_name, names), ERROR_NOT_FOUND, "none");
}

static void names_are_renamed_and_removed(void **state)
{
    (void)state;
    char names[256] = "";
    file_close(create("one", "1"));
    file_close(create("two", "2"));
    assert_good(file_system_rename(fs, path_of("one"), path_of("two")));
    assert_good(file_system_sync_directory(fs, directory));
    assert_good(file_system_list(fs, directory, add_name, names));
    assert_string_equal(names, "two ");
    assert_fails(file_system_rename(fs, path_of("one"), path_of("two")), ERROR_NOT_FOUND, "one");
    assert_good(file_system_remove(fs, path_of("two")));
    assert_fails(file_system_remove(fs, path_of("two")), ERROR_NOT_FOUND, "two");
    assert_fails(file_system_sync_directory(fs, path_of("none")), ERROR_NOT_FOUND, "none");
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    char long_path[5000];
    assert_good(file_system_create_directory(fs, path_of("a/b//c")));
    assert_good(file_system_create_directory(fs, path_of("a/b/c/")));
    file_close(create("a/b/c/file", ""));
    assert_fails(file_system_create_directory(fs, path_of("a/b/c/file")), ERROR_INPUT_OUTPUT,
                 "file");
    assert_fails(file_system_create_directory(fs, path_of("a/b/c/file/d")), ERROR_INPUT_OUTPUT,
                 "file");
    assert_fails(file_system_create_directory(fs, ""), ERROR_NOT_FOUND, "");
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_fails(file_system_create_directory(fs, long_path), ERROR_INPUT_OUTPUT, "xxx");
}

static void relative_directories_are_made_in_the_working_directory(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(directory), 0);
    struct error error = file_system_create_directory(fs, "x/y");
    assert_int_equal(chdir(before), 0);
    assert_good(error);
    file_close(create("x/y/file", ""));
}

static void without_memory_nothing_is_left_open(void **state)
{
    (void)state;
    struct file *file = NULL;
    char names[256] = "";
    file_close(create("file", ""));
    const char *path = path_of("file");
    memory_fail_after(0, 1);
    struct error opened = file_system_open(fs, path, FILE_OPEN_READ, &file);
    struct error locked = file_system_lock(fs, path, &file);
    struct error synced = file_system_sync_directory(fs, directory);
    struct error listed = file_system_list(fs, directory, add_name, names);
    memory_fail_after(1, 0);
    struct error half_listed = file_system_list(fs, directory, add_name, names);
    memory_fail_after(UINT64_MAX, 0);
    assert_fails(opened, ERROR_OUT_OF_MEMORY, path);
    assert_fails(locked, ERROR_OUT_OF_MEMORY, path);
    assert_fails(synced, ERROR_OUT_OF_MEMORY, directory);
    assert_fails(listed, ERROR_OUT_OF_MEMORY, directory);
    assert_fails(half_listed, ERROR_OUT_OF_MEMORY, directory);
    assert_string_equal(names, "");
    assert_null(file);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(what_is_written_is_read),
        IN_DIRECTORY(open_modes_need_what_they_say),
        IN_DIRECTORY(full_disk_is_told_apart),
        IN_DIRECTORY(short_write_is_continued_until_it_fails),
        IN_DIRECTORY(lock_is_exclusive_and_goes_with_its_holder),
        IN_DIRECTORY(names_are_listed_in_order_of_bytes),
        IN_DIRECTORY(names_are_renamed_and_removed),
        IN_DIRECTORY(directories_are_made_with_their_parents),
        IN_DIRECTORY(relative_directories_are_made_in_the_working_directory),
        IN_DIRECTORY(without_memory_nothing_is_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
