/*
 * A key is made under a name of its own and linked to its place when it is durable, so that nobody
 * reads half of it, and of two processes that make one at once both use the first.
 */
#include "main/rate_key.h"

#include "platform/base/hexadecimal.h"
#include "platform/base/random.h"
#include "platform/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { path_size = 1200, text_size = 2 * rate_key_size };

static struct error read_key(const char *path, char key[rate_key_size])
{
    char bytes[text_size + 8];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_from_errno(errno, "%s", path);
    ssize_t size = read(file, bytes, sizeof bytes);
    int failure = errno;
    close(file);
    if (size < 0)
        return error_from_errno(failure, "%s", path);
    struct text text = text_trim(text_make(bytes, (size_t)size));
    bool good = text.size == text_size;
    for (size_t i = 0; good && i < rate_key_size; i++) {
        int high = hexadecimal_value(text.data[2 * i]),
            low = hexadecimal_value(text.data[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = (char)(16 * high + low);
    }
    if (!good)
        return error_make(ERROR_INVALID_SETTING,
                          "rate_key_file: %.150s must hold 64 hexadecimal digits and nothing else",
                          path);
    return error_none();
}

static struct error write_file(const char *path, const char *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return error_from_errno(errno, "%s", path);
    bool written = write(file, bytes, size) == (ssize_t)size && fsync(file) == 0;
    int failure = errno;
    close(file);
    return written ? error_none() : error_from_errno(failure, "%s", path);
}

static struct error make_key(const char *path)
{
    char key[rate_key_size], text[text_size + 2], temporary[path_size + 32];
    random_fill(random_system(), key, sizeof key);
    hexadecimal_write(key, sizeof key, text);
    text[text_size] = '\n';
    snprintf(temporary, sizeof temporary, "%s.%llx", path,
             (unsigned long long)random_uint64(random_system()));
    struct error error = write_file(temporary, text, text_size + 1);
    if (!error_is(error) && link(temporary, path) != 0 && errno != EEXIST)
        error = error_from_errno(errno, "%s", path);
    unlink(temporary);
    return error;
}

struct error rate_key_read(const char *file, const char *data, char key[rate_key_size])
{
    char path[path_size];
    if (file[0] != '\0') {
        struct error error = read_key(file, key);
        return error.code == ERROR_NOT_FOUND
                   ? error_make(ERROR_INVALID_SETTING, "rate_key_file: there is no %.180s", file)
                   : error;
    }
    snprintf(path, sizeof path, "%s/shipping_rate_key", data);
    if (mkdir(data, 0777) != 0 && errno != EEXIST)
        return error_from_errno(errno, "%s", data);
    struct error error = read_key(path, key);
    if (error.code != ERROR_NOT_FOUND)
        return error;
    error = make_key(path);
    return error_is(error) ? error : read_key(path, key);
}
