/* Tracking's part of `waybill verify`. */
#include "main/commands/verify_tracking.h"

#include "main/commands/verify_lock.h"
#include "platform/base/hexadecimal.h"
#include "tracking/infrastructure/embedded/tracking_verification.h"

#include <stdio.h>
#include <sys/stat.h>

enum { path_bytes_max = 4096 };

bool verify_tracking_is_there(const char *directory)
{
    char path[path_bytes_max];
    struct stat found;
    snprintf(path, sizeof path, "%s/tracking/log", directory);
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static void print_result(const char *path, const struct tracking_verification *found, bool json)
{
    char head[65];
    hexadecimal_write(found->chain_head, 32, head);
    printf(json ? "{\"store\":\"%s\",\"records\":%llu,\"trackings\":%llu,\"events\":%llu,"
                  "\"mismatches\":%llu,\"replayPending\":%s,\"chainHead\":\"%s\"}\n"
                : "tracking (%s)\n  records       %llu\n  trackings     %llu\n"
                  "  events        %llu\n  mismatches    %llu\n  replay pending %s\n"
                  "  chain head    %s\n",
           path, (unsigned long long)found->records, (unsigned long long)found->trackings,
           (unsigned long long)found->events, (unsigned long long)found->mismatches,
           found->replay_pending ? "true" : "false", head);
}

struct error verify_tracking(const char *directory, bool json, bool *good)
{
    char path[path_bytes_max];
    int lock;
    struct tracking_verification found = {0};
    struct embedded_tracking_options options = embedded_tracking_options_default();
    snprintf(path, sizeof path, "%s/tracking", directory);
    options.directory = path;
    struct error error = verify_lock(path, "/log/lock", &lock);
    if (!error_is(error))
        error = embedded_tracking_verify(&options, &found);
    if (!error_is(error))
        print_result(path, &found, json);
    verify_unlock(lock);
    *good = !error_is(error) && found.mismatches == 0;
    return error;
}
