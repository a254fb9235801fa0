/*
 * Goal: every setting can be given in each of the three places, the nearest place wins, and what is
 * wrong is told with its place and what is allowed. Method: one table of all settings with a value
 * that is not the default; the table is compared with the printed file, so that a new setting fails
 * here until it is listed.
 */
#include "main/configuration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sample {
    const char *section;
    const char *name;
    size_t offset;
    bool is_number;
    const char *value; /* good, and not the default */
    const char *bad;
    const char *advice; /* what the complaint about the bad one says */
};

#define TEXT(section, name, value, bad, advice)                                                    \
    {                                                                                              \
        section, #name, offsetof(struct configuration, name), false, value, bad, advice            \
    }
#define NUMBER(section, name, value, bad, advice)                                                  \
    {                                                                                              \
        section, #name, offsetof(struct configuration, name), true, value, bad, advice             \
    }

#define ACCOUNT(carrier, member, is_number, value, bad, advice)                                    \
    {                                                                                              \
        "shipping", #carrier "_" #member, offsetof(struct configuration, carrier.member),          \
            is_number, value, bad, advice                                                          \
    }
#define CARRIER(carrier)                                                                           \
    ACCOUNT(carrier, base_url, false, "http://127.0.0.1:1/x", "a\x02", control_advice),            \
        ACCOUNT(carrier, client_id, false, "me", "a\x02", control_advice),                         \
        ACCOUNT(carrier, client_secret, false, "a secret", "\xFF", control_advice),                \
        ACCOUNT(carrier, account_number, false, "123456", "a\x02", control_advice),                \
        ACCOUNT(carrier, webhook_secret, false, "another", "a\x7F", control_advice),               \
        ACCOUNT(carrier, calls_at_once_max, true, "1", "0", "from 1 to 128"),                      \
        ACCOUNT(carrier, calls_per_second_max, true, "0", "-1", "from 0 to 100000"),               \
        ACCOUNT(carrier, calls_per_day_max, true, "1", "1e3", "from 0 to 100000000")

static const char control_advice[] = "must be UTF-8 without control characters";
static const struct sample samples[] = {
    TEXT("server", listen, "[::1]:0", "", "must not be empty"),
    TEXT("server", operations, "0.0.0.0:1", "", "must not be empty"),
    TEXT("server", tls_certificate, "chain.pem", "a\x01", control_advice),
    TEXT("server", tls_key, "key.pem", "a\x7F", control_advice),
    TEXT("server", tls_client_ca, "ca.pem", "\xFF", control_advice),
    TEXT("server", plaintext, "everywhere", "nowhere", "must be one of loopback|everywhere"),
    TEXT("server", cors_origins, "https://a.example, https://b.example", "\xC3", control_advice),
    TEXT("server", data, "/var/lib/way bill", "", "must not be empty"),
    TEXT("server", inventory, "embedded:elsewhere", "\xED\xA0\x80", control_advice),
    TEXT("server", tracking, "embedded:elsewhere", "\xED\xA0\x80", control_advice),
    TEXT("server", warehouse, "sqlite:elsewhere", "a\x02", control_advice),
    TEXT("server", shipping, "postgresql://b@c/d", "a\x03", control_advice),
    TEXT("server", fulfillment, "sqlite:x", "a\x04", control_advice),
    NUMBER("server", io_threads, "64", "65", "from 0 to 64"),
    NUMBER("server", drain_seconds, "0", "-1", "from 0 to 3600"),
    NUMBER("server", takeover_seconds, "0", "3601", "from 0 to 3600"),
    NUMBER("server", connections_max, "1", "0", "from 1 to 1000000"),
    NUMBER("server", connections_per_peer_max, "7", "many", "from 0 to 1000000"),
    NUMBER("server", peer_abuse_points_per_second, "0", "-5", "from 0 to 1000000"),
    NUMBER("server", request_seconds, "1", "0", "from 1 to 86400"),
    NUMBER("server", idle_seconds, "1", "1.5", "from 0 to 86400"),
    NUMBER("server", age_seconds, "1", "1e3", "from 0 to 31536000"),
    NUMBER("server", message_bytes_max, "67108864", "67108865", "from 1024 to 67108864"),
    TEXT("log", log_level, "debug", "loud", "must be debug, info, warning, error or off"),
    TEXT("log", log_format, "json", "yaml", "must be one of text|json"),
    NUMBER("inventory", retention_seconds, "1", "", "from 1 to 315360000"),
    NUMBER("inventory", committed_retention_seconds, "1", "99999999999999999999",
           "from 1 to 315360000"),
    TEXT("inventory", on_hand_source, "warehouse", "shelf", "must be one of auto|own|warehouse"),
    NUMBER("inventory", ids_max, "4000000000", "4000000001", "from 1 to 4000000000"),
    NUMBER("inventory", queue_length_max, "1", "0x10", "from 1 to 16777216"),
    NUMBER("inventory", segment_bytes, "4294967296", "1048575", "from 1048576 to 4294967296"),
    NUMBER("inventory", batch_bytes_max, "65536", "65 536", "from 65536 to 268435456"),
    TEXT("warehouse", split_cost, "USD 250", "a\x05", control_advice),
    NUMBER("warehouse", ship_within_days, "0", "61", "from 0 to 60"),
    NUMBER("warehouse", allocation_work_max, "1", "0", "from 1 to 1000000000"),
    NUMBER("fulfillment", parcel_grams_max, "1", "0", "from 1 to 1000000000"),
    NUMBER("fulfillment", order_watchers_max, "1", "0", "from 1 to 1000000"),
    NUMBER("tracking", tracking_memory_bytes_max, "16777216", "16777215",
           "from 16777216 to 1099511627776"),
    NUMBER("tracking", tracking_checkpoint_bytes, "1048576", "-1", "from 1048576 to 1099511627776"),
    NUMBER("tracking", tracking_free_bytes_min, "0", "1e9", "from 0 to 1099511627776"),
    NUMBER("tracking", tracking_log_retention_days, "36500", "36501", "from 0 to 36500"),
    NUMBER("tracking", tracking_ping_retention_days, "1", "0", "from 1 to 36500"),
    NUMBER("tracking", tracking_generation_gap_days, "36500", "0", "from 1 to 36500"),
    NUMBER("tracking", tracking_silence_days, "3650", "3651", "from 0 to 3650"),
    NUMBER("tracking", tracking_checkpoint_seconds, "1", "0", "from 1 to 86400"),
    NUMBER("tracking", tracking_poll_seconds, "0", "2592001", "from 0 to 2592000"),
    TEXT("tracking", tracking_poll_quota, "10, ups=20", "a\x06", control_advice),
    NUMBER("tracking", tracking_webhook_attempts_max, "1", "0", "from 1 to 1000"),
    NUMBER("tracking", tracking_subscriptions_max, "1000", "1001", "from 1 to 1000"),
    TEXT("shipping", carriers, "tariff, ups", "a\x02", control_advice),
    CARRIER(ups),
    CARRIER(fedex),
    CARRIER(dhl),
    ACCOUNT(dhl, tracking_base_url, false, "http://127.0.0.1:1/y", "a\x02", control_advice),
    ACCOUNT(dhl, tracking_key, false, "a key", "a\x02", control_advice),
    TEXT("shipping", tariff_cards, "cards", "a\x02", control_advice),
    TEXT("shipping", rate_key_file, "key", "a\x02", control_advice),
    NUMBER("shipping", rates_ms_max, "50", "49", "from 50 to 600000"),
    NUMBER("shipping", rate_seconds, "1", "0", "from 1 to 604800"),
    NUMBER("shipping", purchase_seconds_max, "600", "601", "from 1 to 600"),
    NUMBER("shipping", first_lookup_seconds, "0", "61", "from 0 to 60"),
    NUMBER("shipping", lookup_seconds_max, "1", "86401", "from 1 to 86400"),
    TEXT("sql", migrate, "refuse", "never", "must be one of auto|refuse"),
    TEXT("sql", allow_degraded, "yes", "perhaps", "must be one of no|yes"),
    NUMBER("sql", sql_connections, "1", "0", "from 1 to 256"),
    NUMBER("sql", sql_queue_length_max, "1048576", "0", "from 1 to 1048576"),
    NUMBER("sql", sql_statement_ms_max, "10", "9", "from 10 to 600000"),
    NUMBER("events", events_retention_days, "1", "0", "from 1 to 36500"),
    NUMBER("events", outbox_bytes_max, "65536", "65535", "from 65536 to 1099511627776"),
    TEXT("events", events_adopt, "yes", "maybe", "must be one of no|yes"),
    NUMBER("events", event_subscribers_max, "1", "0", "from 1 to 1000000"),
    NUMBER("events", event_slow_seconds, "86400", "86401", "from 1 to 86400"),
};
enum { samples_count = sizeof samples / sizeof samples[0], arguments_max = 8 };

struct reading {
    struct configuration configuration;
    struct configuration_problems problems;
    char *arguments[arguments_max];
    int argument_count;
    const char *operands[arguments_max];
    size_t operand_count;
    char path[64]; /* of the file, if there is one */
    bool good;
};

static void begin(struct reading *reading)
{
    *reading = (struct reading){0};
    configuration_problems_init(&reading->problems);
}

static void give_argument(struct reading *reading, const char *argument)
{
    assert_true(reading->argument_count < arguments_max);
    reading->arguments[reading->argument_count++] = strdup(argument);
}

static void give_file(struct reading *reading, const void *bytes, size_t size)
{
    strcpy(reading->path, "/tmp/waybill-configuration-XXXXXX");
    int descriptor = mkstemp(reading->path);
    assert_true(descriptor >= 0);
    assert_true(write(descriptor, bytes, size) == (ssize_t)size);
    close(descriptor);
    give_argument(reading, "--config");
    give_argument(reading, reading->path);
}

static void give_lines(struct reading *reading, const char *lines)
{
    give_file(reading, lines, strlen(lines));
}

static void finish(struct reading *reading)
{
    reading->good =
        configuration_read(&reading->configuration, reading->argument_count, reading->arguments,
                           reading->operands, &reading->operand_count, &reading->problems);
    assert_true(reading->good == (reading->problems.count == 0));
}

static void end(struct reading *reading)
{
    for (int i = 0; i < reading->argument_count; i++)
        free(reading->arguments[i]);
    if (reading->path[0] != '\0')
        unlink(reading->path);
    configuration_problems_deinit(&reading->problems);
}

/* Exactly one problem, which names `where` first and says `what`. */
static void assert_problem(struct reading *reading, const char *where, const char *what)
{
    struct text lines = buffer_text(&reading->problems.lines);
    char *line = strndup(lines.data == NULL ? "" : lines.data, lines.size);
    if (reading->problems.count != 1 || strncmp(line, where, strlen(where)) != 0 ||
        strstr(line, what) == NULL)
        fail_msg("expected one problem \"%s… %s…\", got %zu:\n%s", where, what,
                 reading->problems.count, line);
    free(line);
}

static void assert_file_problem(struct reading *reading, unsigned line, const char *what)
{
    char where[128];
    snprintf(where, sizeof where, "%s:%u: ", reading->path, line);
    assert_problem(reading, where, what);
}

static void variable_of(const char *name, char *out)
{
    strcpy(out, "WAYBILL_");
    for (out += strlen(out); *name != '\0'; name++)
        *out++ = (char)toupper(*name);
    *out = '\0';
}

static void flag_of(const char *name, char *out)
{
    strcpy(out, "--");
    for (out += 2; *name != '\0'; name++)
        *out++ = *name == '_' ? '-' : *name;
    *out = '\0';
}

static void assert_has(const struct reading *reading, const struct sample *sample,
                       const char *value)
{
    const char *place = (const char *)&reading->configuration + sample->offset;
    if (!reading->good)
        fail_msg("%s: %.*s", sample->name, (int)reading->problems.lines.size,
                 reading->problems.lines.data);
    if (sample->is_number)
        assert_int_equal(*(const int64_t *)(const void *)place, strtoll(value, NULL, 10));
    else
        assert_string_equal(place, value);
}

static void no_arguments_give_the_defaults(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading);
    finish(&reading);
    assert_true(reading.good);
    assert_string_equal(reading.configuration.listen, "127.0.0.1:7400");
    assert_string_equal(reading.configuration.tls_certificate, "");
    assert_int_equal(reading.configuration.drain_seconds, 10);
    assert_int_equal(reading.operand_count, 0);
    end(&reading);
}

static void every_setting_can_be_a_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < samples_count; i++) {
        for (int joined = 0; joined < 2; joined++) {
            char flag[64];
            char argument[256];
            struct reading reading;
            flag_of(samples[i].name, flag);
            snprintf(argument, sizeof argument, "%s=%s", flag, samples[i].value);
            begin(&reading);
            give_argument(&reading, joined ? argument : flag);
            if (!joined)
                give_argument(&reading, samples[i].value);
            finish(&reading);
            assert_has(&reading, &samples[i], samples[i].value);
            end(&reading);
        }
    }
}

static void every_setting_can_be_a_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < samples_count; i++) {
        char variable[64];
        struct reading reading;
        variable_of(samples[i].name, variable);
        setenv(variable, samples[i].value, 1);
        begin(&reading);
        finish(&reading);
        assert_has(&reading, &samples[i], samples[i].value);
        end(&reading);
        unsetenv(variable);
    }
}

static void every_setting_can_stand_in_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < samples_count; i++) {
        char lines[512];
        struct reading reading;
        snprintf(lines, sizeof lines, "[%s]\n%s = %s\n", samples[i].section, samples[i].name,
                 samples[i].value);
        begin(&reading);
        give_lines(&reading, lines);
        finish(&reading);
        assert_has(&reading, &samples[i], samples[i].value);
        end(&reading);
    }
}

static void flag_goes_before_variable_before_file_before_default(void **state)
{
    (void)state;
    const struct sample *sample = &samples[2];
    for (unsigned given = 0; given < 8; given++) {
        struct reading reading;
        const char *expected = given & 1   ? "by-flag"
                               : given & 2 ? "by-variable"
                               : given & 4 ? "by-file"
                                           : "";
        begin(&reading);
        if (given & 4)
            give_lines(&reading, "[server]\ntls_certificate = by-file\n");
        if (given & 2)
            setenv("WAYBILL_TLS_CERTIFICATE", "by-variable", 1);
        if (given & 1)
            give_argument(&reading, "--tls-certificate=by-flag");
        finish(&reading);
        assert_has(&reading, sample, expected);
        end(&reading);
        unsetenv("WAYBILL_TLS_CERTIFICATE");
    }
}

static void bad_value_is_told_with_its_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < samples_count; i++) {
        char flag[64];
        struct reading reading;
        flag_of(samples[i].name, flag);
        begin(&reading);
        give_argument(&reading, flag);
        give_argument(&reading, samples[i].bad);
        finish(&reading);
        assert_problem(&reading, flag, samples[i].advice);
        end(&reading);
    }
}

static void bad_value_is_told_with_its_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < samples_count; i++) {
        char variable[64];
        struct reading reading;
        variable_of(samples[i].name, variable);
        setenv(variable, samples[i].bad, 1);
        begin(&reading);
        finish(&reading);
        assert_problem(&reading, variable, samples[i].advice);
        end(&reading);
        unsetenv(variable);
    }
}

static void bad_value_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < samples_count; i++) {
        char lines[512];
        struct reading reading;
        snprintf(lines, sizeof lines, "; first\n\n[%s]\n%s = %s\n", samples[i].section,
                 samples[i].name, samples[i].bad);
        begin(&reading);
        give_lines(&reading, lines);
        finish(&reading);
        assert_file_problem(&reading, 4, samples[i].advice);
        end(&reading);
    }
}

static void all_problems_are_told_up_to_twenty(void **state)
{
    (void)state;
    struct reading reading;
    char lines[4096] = "[server]\n";
    for (int i = 0; i < 25; i++)
        strcat(lines, "no such line\n");
    begin(&reading);
    give_lines(&reading, lines);
    give_argument(&reading, "--io-threads=x");
    finish(&reading);
    assert_int_equal(reading.problems.count, 26);
    char *shown = NULL;
    size_t size;
    FILE *out = open_memstream(&shown, &size);
    configuration_problems_print(&reading.problems, out);
    fclose(out);
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += shown[i] == '\n';
    assert_int_equal(count, 21);
    assert_non_null(strstr(shown, "and 6 more\n"));
    free(shown);
    end(&reading);
}

static void unknown_flag_is_refused(void **state)
{
    (void)state;
    static const char *const flags[][2] = {
        {"--lisen", "is no option; did you mean --listen?"},
        {"--io_threads=3", "is no option; did you mean --io-threads?"},
        {"-x", "is no option; `waybill serve --help` lists them"},
    };
    for (int i = 0; i < 3; i++) {
        struct reading reading;
        begin(&reading);
        give_argument(&reading, flags[i][0]);
        finish(&reading);
        assert_problem(&reading, flags[i][0], flags[i][1]);
        end(&reading);
    }
}

static void flag_without_value_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *flags[] = {"--data", "--config"};
        struct reading reading;
        begin(&reading);
        give_argument(&reading, flags[i]);
        finish(&reading);
        assert_problem(&reading, flags[i], "needs a value");
        end(&reading);
    }
}

static void unknown_variable_is_left_alone(void **state)
{
    (void)state;
    struct reading reading;
    setenv("WAYBILL_SERVICE_HOST", "10.0.0.1", 1);
    begin(&reading);
    finish(&reading);
    assert_true(reading.good);
    end(&reading);
    unsetenv("WAYBILL_SERVICE_HOST");
}

static void words_that_are_no_options_are_operands(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading);
    give_argument(&reading, "inventory");
    give_argument(&reading, "--data");
    give_argument(&reading, "there");
    give_argument(&reading, "shipping");
    finish(&reading);
    assert_true(reading.good);
    assert_int_equal(reading.operand_count, 2);
    assert_string_equal(reading.operands[0], "inventory");
    assert_string_equal(reading.operands[1], "shipping");
    end(&reading);
}

struct bad_file {
    const char *lines;
    unsigned line;
    const char *what;
};

static void bad_line_is_told_with_its_number(void **state)
{
    (void)state;
    static const struct bad_file files[] = {
        {"[server]\nlisen = x:1\n", 2, "lisen: is no setting; did you mean listen?"},
        {"[server]\nnonsense = 1\n", 2, "is no setting; `waybill serve --help` lists them"},
        {"[servr]\nlisten = x:1\n", 2, "listen: belongs below [server]"},
        {"listen = x:1\n", 1, "listen: belongs below [server]"},
        {"[server]\nlog_level = info\n", 2, "log_level: belongs below [log]"},
        {"[server]\ndata = a\n\n# again\ndata = b\n", 5, "data: is set twice"},
        {"[server]\ndata = a\n  data = b\n", 3, "data: is set twice"},
        {"[server\n", 1, "is neither [section], name = value nor a comment"},
        {"[server]\r\ndata\r\n", 2, "is neither [section], name = value nor a comment"},
        {"[server]\n= a", 2, "is neither [section], name = value nor a comment"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct reading reading;
        begin(&reading);
        give_lines(&reading, files[i].lines);
        finish(&reading);
        assert_file_problem(&reading, files[i].line, files[i].what);
        end(&reading);
    }
}

static void nul_in_the_file_is_refused(void **state)
{
    (void)state;
    static const char bytes[] = "[server]\ndata = a\0b\n";
    struct reading reading;
    begin(&reading);
    give_file(&reading, bytes, sizeof bytes - 1);
    finish(&reading);
    assert_file_problem(&reading, 2, control_advice);
    end(&reading);
}

static void file_may_have_marks_spaces_comments_and_long_lines(void **state)
{
    (void)state;
    struct reading reading;
    char lines[2048] = "\xEF\xBB\xBF; a comment = no setting\r\n\n \t[ server ] ; here\r\n"
                       "\tdata=a b\t; behind\r\n# [log]\ninventory = embedded:x;y\n"
                       "cors_origins =\tX";
    memset(lines + strlen(lines), 'y', 510);
    begin(&reading);
    give_lines(&reading, lines);
    finish(&reading);
    assert_true(reading.good);
    assert_string_equal(reading.configuration.data, "a b");
    assert_string_equal(reading.configuration.inventory, "embedded:x;y");
    assert_int_equal(strlen(reading.configuration.cors_origins), 511);
    end(&reading);

    strcat(lines, "z");
    begin(&reading);
    give_lines(&reading, lines);
    finish(&reading);
    assert_file_problem(&reading, 7, "must be at most 511 bytes");
    end(&reading);
}

static void file_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *what;
    } files[] = {
        {"/nowhere/waybill.ini", "cannot be read: No such file or directory"},
        {"/tmp", "cannot be read: Is a directory"},
        {"/dev/zero", "is larger than 1 MiB"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct reading reading;
        setenv("WAYBILL_CONFIG", files[i].path, 1);
        begin(&reading);
        finish(&reading);
        assert_problem(&reading, files[i].path, files[i].what);
        end(&reading);
    }
    unsetenv("WAYBILL_CONFIG");
}

static void batch_must_fit_its_segment(void **state)
{
    (void)state;
    struct reading reading;
    begin(&reading);
    give_argument(&reading, "--segment-bytes=1048576");
    give_argument(&reading, "--batch-bytes-max=262145");
    finish(&reading);
    assert_problem(&reading, "batch_bytes_max", "at most a quarter of segment_bytes");
    end(&reading);
}

static char *printed_file(size_t *size)
{
    char *printed = NULL;
    FILE *out = open_memstream(&printed, size);
    assert_non_null(out);
    configuration_print_file(out);
    fclose(out);
    return printed;
}

static void printed_file_has_every_setting_and_gives_the_defaults(void **state)
{
    (void)state;
    struct reading defaults;
    struct reading reading;
    size_t size;
    char *printed = printed_file(&size);
    size_t settings = 0;
    for (const char *line = printed; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        settings += *line != ';' && *line != '[' && *line != '\n' && *line != '\0';
    }
    assert_int_equal(settings, samples_count);
    for (size_t i = 0; i < samples_count; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n%s = ", samples[i].name);
        assert_non_null(strstr(printed, line));
    }
    begin(&defaults);
    finish(&defaults);
    begin(&reading);
    give_lines(&reading, printed);
    finish(&reading);
    assert_true(reading.good);
    memcpy(reading.configuration.config, defaults.configuration.config,
           sizeof reading.configuration.config);
    assert_memory_equal(&reading.configuration, &defaults.configuration,
                        sizeof reading.configuration);
    end(&reading);
    end(&defaults);
    free(printed);
}

static void file_in_the_repository_is_the_printed_one(void **state)
{
    (void)state;
    char path[512];
    static char kept[64 * 1024];
    size_t size;
    char *printed = printed_file(&size);
    const char *repository = getenv("REPOSITORY");
    snprintf(path, sizeof path, "%s/config/waybill.ini", repository == NULL ? "." : repository);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t kept_size = fread(kept, 1, sizeof kept - 1, file);
    fclose(file);
    assert_int_equal(kept_size, size);
    assert_memory_equal(kept, printed, size);
    free(printed);
}

static void help_names_every_setting(void **state)
{
    (void)state;
    char *help = NULL;
    size_t size;
    FILE *out = open_memstream(&help, &size);
    configuration_print_help(out);
    fclose(out);
    for (size_t i = 0; i < samples_count; i++) {
        char flag[64];
        flag_of(samples[i].name, flag);
        assert_non_null(strstr(help, flag));
    }
    free(help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_arguments_give_the_defaults),
        cmocka_unit_test(every_setting_can_be_a_flag),
        cmocka_unit_test(every_setting_can_be_a_variable),
        cmocka_unit_test(every_setting_can_stand_in_the_file),
        cmocka_unit_test(flag_goes_before_variable_before_file_before_default),
        cmocka_unit_test(bad_value_is_told_with_its_flag),
        cmocka_unit_test(bad_value_is_told_with_its_variable),
        cmocka_unit_test(bad_value_is_told_with_its_line),
        cmocka_unit_test(all_problems_are_told_up_to_twenty),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(flag_without_value_is_refused),
        cmocka_unit_test(unknown_variable_is_left_alone),
        cmocka_unit_test(words_that_are_no_options_are_operands),
        cmocka_unit_test(bad_line_is_told_with_its_number),
        cmocka_unit_test(nul_in_the_file_is_refused),
        cmocka_unit_test(file_may_have_marks_spaces_comments_and_long_lines),
        cmocka_unit_test(file_that_cannot_be_read_is_told),
        cmocka_unit_test(batch_must_fit_its_segment),
        cmocka_unit_test(printed_file_has_every_setting_and_gives_the_defaults),
        cmocka_unit_test(file_in_the_repository_is_the_printed_one),
        cmocka_unit_test(help_names_every_setting),
    };
    return cmocka_run_group_tests_name("configuration", tests, NULL, NULL);
}
