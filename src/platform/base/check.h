#ifndef WAYBILL_PLATFORM_BASE_CHECK_H
#define WAYBILL_PLATFORM_BASE_CHECK_H

/*
 * CHECK(condition): a programmer's mistake stops the process, in release builds too.
 * Nothing that comes from outside (a client, a file, a store, a setting) may ever reach one: that
 * is a domain outcome or a struct error.
 */
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

/* Prints where and what to standard error and aborts. Any thread. */
_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function);

#endif
