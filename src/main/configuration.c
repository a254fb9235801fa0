/*
 * One table, four readers. What is wrong is collected, not the first only, and nothing is taken in
 * part: the caller stops when there is any problem.
 */
#include "main/configuration.h"

#include "main/carrier_settings_map.h"
#include "main/suggestion.h"
#include "platform/base/configuration_file.h"
#include "platform/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_LOG_LEVEL, SETTING_CHOICE };

struct setting {
    const char *section;
    const char *name; /* in the file; the flag has '-' for '_', the variable capitals */
    enum setting_kind kind;
    size_t offset; /* in struct configuration */
    const char *default_text;
    int64_t minimum;
    int64_t maximum;
    const char *argument; /* for --help; a choice's are all its values: "text|json" */
    const char *help;
    const char *why; /* the default's reason, for the file */
};

static const struct setting settings[] = {
    {"server", "listen", SETTING_TEXT, offsetof(struct configuration, listen), "127.0.0.1:7400", 0,
     0, "HOST:PORT", "where calls are taken; port 0 picks one",
     "loopback only, because there is no authentication yet"},
    {"server", "operations", SETTING_TEXT, offsetof(struct configuration, operations),
     "127.0.0.1:7480", 0, 0, "HOST:PORT", "where /healthz, /readyz and /metrics are served",
     "a port of its own, so that it can be kept from the public"},
    {"server", "tls_certificate", SETTING_TEXT, offsetof(struct configuration, tls_certificate), "",
     0, 0, "FILE", "certificate chain in PEM form; read again when it changes; empty = no TLS",
     "on loopback nobody listens in"},
    {"server", "tls_key", SETTING_TEXT, offsetof(struct configuration, tls_key), "", 0, 0, "FILE",
     "its key in PEM form", "goes with tls_certificate"},
    {"server", "tls_client_ca", SETTING_TEXT, offsetof(struct configuration, tls_client_ca), "", 0,
     0, "FILE", "clients must show a certificate signed by one of these; empty = they need none",
     "mutual TLS needs certificates of one's own making"},
    {"server", "plaintext", SETTING_CHOICE, offsetof(struct configuration, plaintext), "loopback",
     0, 0, "loopback|everywhere", "where calls are taken without TLS",
     "everywhere is for those who have something else that encrypts"},
    {"server", "cors_origins", SETTING_TEXT, offsetof(struct configuration, cors_origins), "", 0, 0,
     "LIST", "web pages that may call from a browser: https://shop.example, … or *; empty = none",
     "a back end is rarely called by pages"},
    {"server", "data", SETTING_TEXT, offsetof(struct configuration, data), "waybill-data", 0, 0,
     "DIR", "where the embedded stores live", "in the working directory: nothing is hidden"},
    {"server", "inventory", SETTING_TEXT, offsetof(struct configuration, inventory), "", 0, 0,
     "URL",
     "embedded:DIR, or grpc://HOST:PORT where another serves it; empty = embedded:DATA/inventory",
     "the embedded store needs no other program"},
    {"server", "tracking", SETTING_TEXT, offsetof(struct configuration, tracking), "", 0, 0, "URL",
     "embedded:DIR, or grpc://HOST:PORT where another serves it; empty = embedded:DATA/tracking",
     "the embedded store needs no other program"},
    {"server", "warehouse", SETTING_TEXT, offsetof(struct configuration, warehouse), "", 0, 0,
     "URL",
     "sqlite:FILE, postgresql://…, or grpc://HOST:PORT; empty = sqlite:DATA/warehouse.sqlite",
     "SQLite needs no other program; PostgreSQL is for several processes and machines"},
    {"server", "shipping", SETTING_TEXT, offsetof(struct configuration, shipping), "", 0, 0, "URL",
     "sqlite:FILE, postgresql://…, or grpc://HOST:PORT; empty = sqlite:DATA/shipping.sqlite",
     "SQLite needs no other program; PostgreSQL is for several processes and machines"},
    {"server", "fulfillment", SETTING_TEXT, offsetof(struct configuration, fulfillment), "", 0, 0,
     "URL",
     "fulfillment's store: sqlite:FILE or postgresql://…; empty = sqlite:DATA/fulfillment.sqlite",
     "SQLite needs no other program; PostgreSQL is for several processes and machines"},
    {"server", "io_threads", SETTING_NUMBER, offsetof(struct configuration, io_threads), "0", 0, 64,
     "N", "threads that read and write calls; 0 = by the machine's cores",
     "the store has a thread of its own, so one is left out of every two cores"},
    {"server", "drain_seconds", SETTING_NUMBER, offsetof(struct configuration, drain_seconds), "10",
     0, 3600, "N", "how long calls in flight may take at shutdown",
     "longer than any call should take"},
    {"server", "takeover_seconds", SETTING_NUMBER, offsetof(struct configuration, takeover_seconds),
     "60", 0, 3600, "N",
     "with passed sockets: how long a start waits for the process before it to leave the stores",
     "callers wait in the sockets meanwhile; longer than any drain"},
    {"server", "connections_max", SETTING_NUMBER, offsetof(struct configuration, connections_max),
     "16384", 1, 1000000, "N", "connections at once; further ones are closed",
     "each costs about 15 KiB"},
    {"server", "connections_per_peer_max", SETTING_NUMBER,
     offsetof(struct configuration, connections_per_peer_max), "0", 0, 1000000, "N",
     "connections at once from one address; 0 = no limit of its own",
     "behind a proxy all come from one address"},
    {"server", "peer_abuse_points_per_second", SETTING_NUMBER,
     offsetof(struct configuration, peer_abuse_points_per_second), "500", 0, 1000000, "N",
     "points of abuse a second that an address is forgiven; 0 = they are not counted",
     "250 cancelled calls a second more than calls that go well are no mistake any more"},
    {"server", "request_seconds", SETTING_NUMBER, offsetof(struct configuration, request_seconds),
     "60", 1, 86400, "N", "how long a request may take to come; streams of requests any time",
     "a megabyte over a bad line takes a few seconds"},
    {"server", "idle_seconds", SETTING_NUMBER, offsetof(struct configuration, idle_seconds), "3600",
     0, 86400, "N", "a connection without calls for so long is closed; 0 = never",
     "clients keep connections for later"},
    {"server", "age_seconds", SETTING_NUMBER, offsetof(struct configuration, age_seconds), "0", 0,
     31536000, "N", "a connection of that age is drained; 0 = never",
     "set it behind a balancer, so that load spreads"},
    {"server", "message_bytes_max", SETTING_NUMBER,
     offsetof(struct configuration, message_bytes_max), "1048576", 1024, 67108864, "N",
     "largest request message", "a request of 100 lines takes about 8 KiB"},
    {"log", "log_level", SETTING_LOG_LEVEL, offsetof(struct configuration, log_level), "info", 0, 0,
     "LEVEL", "debug, info, warning, error or off", "a quiet log is read"},
    {"log", "log_format", SETTING_CHOICE, offsetof(struct configuration, log_format), "text", 0, 0,
     "text|json", "text for people, json for programs", "most logs are read by people first"},
    {"inventory", "retention_seconds", SETTING_NUMBER,
     offsetof(struct configuration, retention_seconds), "86400", 1, 315360000, "N",
     "how long ids of rolled back and expired reservations are kept",
     "a day of retries is safe after any outage"},
    {"inventory", "committed_retention_seconds", SETTING_NUMBER,
     offsetof(struct configuration, committed_retention_seconds), "7776000", 1, 315360000, "N",
     "how long ids of committed reservations, receipts and adjustments are kept",
     "90 days: longer than a payment can be disputed"},
    {"inventory", "on_hand_source", SETTING_CHOICE, offsetof(struct configuration, on_hand_source),
     "auto", 0, 0, "auto|own|warehouse",
     "where on hand comes from: own receipts or warehouse's shelves, if those are known",
     "shelves of this process or at --warehouse grpc://HOST:PORT; a store keeps its source"},
    {"inventory", "ids_max", SETTING_NUMBER, offsetof(struct configuration, ids_max), "50000000", 1,
     4000000000, "N", "ids kept at once; beyond it new ones are refused",
     "about 2 GiB of memory when it is reached"},
    {"inventory", "queue_length_max", SETTING_NUMBER,
     offsetof(struct configuration, queue_length_max), "65536", 1, 16777216, "N",
     "commands that may wait for the store", "a tenth of a second's work"},
    {"inventory", "segment_bytes", SETTING_NUMBER, offsetof(struct configuration, segment_bytes),
     "67108864", 1048576, 4294967296, "N", "size of the record log's files",
     "filled with zeros beforehand, so not too large"},
    {"inventory", "batch_bytes_max", SETTING_NUMBER,
     offsetof(struct configuration, batch_bytes_max), "4194304", 65536, 268435456, "N",
     "most that is synced at once; at most a quarter of segment_bytes",
     "larger batches wait longer and gain nothing"},
    {"warehouse", "split_cost", SETTING_TEXT, offsetof(struct configuration, split_cost), "", 0, 0,
     "AMOUNT",
     "what each warehouse beyond the first costs an order, as USD 250 (minor units); empty = "
     "nothing",
     "only you know what a second parcel costs"},
    {"warehouse", "ship_within_days", SETTING_NUMBER,
     offsetof(struct configuration, ship_within_days), "7", 0, 60, "N",
     "a warehouse whose next open day is later takes no part in an allocation",
     "a week covers a holiday between two weekends"},
    {"warehouse", "allocation_work_max", SETTING_NUMBER,
     offsetof(struct configuration, allocation_work_max), "200000", 1, 1000000000, "N",
     "bound on the work for one allocation; beyond it the best plan found so far is taken",
     "keeps the largest orders below 50 ms"},
    {"fulfillment", "parcel_grams_max", SETTING_NUMBER,
     offsetof(struct configuration, parcel_grams_max), "70000", 1, 1000000000, "N",
     "what one parcel may weigh; more goes in several, beyond 20 as freight",
     "what parcel carriers take at most"},
    {"fulfillment", "order_watchers_max", SETTING_NUMBER,
     offsetof(struct configuration, order_watchers_max), "10000", 1, 1000000, "N",
     "calls of WatchOrder at once; further ones are refused", "each takes some KiB"},
    {"tracking", "tracking_memory_bytes_max", SETTING_NUMBER,
     offsetof(struct configuration, tracking_memory_bytes_max), "536870912", 16777216,
     1099511627776, "N",
     "memory of tracking's store: a half for summaries, a half for RocksDB's buffers and cache",
     "the summaries of about half a million parcels"},
    {"tracking", "tracking_checkpoint_bytes", SETTING_NUMBER,
     offsetof(struct configuration, tracking_checkpoint_bytes), "536870912", 1048576, 1099511627776,
     "N", "of the record log, between two checkpoints: what a restart replays",
     "a few seconds of replay"},
    {"tracking", "tracking_checkpoint_seconds", SETTING_NUMBER,
     offsetof(struct configuration, tracking_checkpoint_seconds), "300", 1, 86400, "N",
     "between two checkpoints at the latest, when something has changed",
     "lists by activity (silence, questions to carriers) are at most so far behind"},
    {"tracking", "tracking_free_bytes_min", SETTING_NUMBER,
     offsetof(struct configuration, tracking_free_bytes_min), "536870912", 0, 1099511627776, "N",
     "with less free on the disk nothing more is recorded",
     "room for what compaction needs at once"},
    {"tracking", "tracking_log_retention_days", SETTING_NUMBER,
     offsetof(struct configuration, tracking_log_retention_days), "7", 0, 36500, "N",
     "how long the log is kept for cursors of streams and of readers of events",
     "longer than a consumer should be away"},
    {"tracking", "tracking_ping_retention_days", SETTING_NUMBER,
     offsetof(struct configuration, tracking_ping_retention_days), "30", 1, 36500, "N",
     "how long pings are kept", "a parcel's road is shorter; scans are kept for ever"},
    {"tracking", "tracking_generation_gap_days", SETTING_NUMBER,
     offsetof(struct configuration, tracking_generation_gap_days), "90", 1, 36500, "N",
     "without an event for so long a number may be another shipment's",
     "carriers use numbers again after about that"},
    {"tracking", "tracking_silence_days", SETTING_NUMBER,
     offsetof(struct configuration, tracking_silence_days), "0", 0, 3650, "N",
     "a parcel on its way without an event for so long is told of; 0 = never",
     "whoever listens sets it to what is long on their routes"},
    {"tracking", "tracking_poll_seconds", SETTING_NUMBER,
     offsetof(struct configuration, tracking_poll_seconds), "14400", 0, 2592000, "N",
     "a carrier is asked about a parcel not heard of for so long, for twice as long …; 0 = never",
     "four hours: carriers that push do so earlier; at least 8"},
    {"tracking", "tracking_poll_quota", SETTING_TEXT,
     offsetof(struct configuration, tracking_poll_quota), "1000, dhl=250, tariff=0", 0, 0,
     "N, "
     "CARRIER=N",
     "questions to a carrier in a day (UTC), for all and for single ones",
     "DHL allows 250 calls a day at first; the tariff has nobody to ask"},
    {"tracking", "tracking_webhook_attempts_max", SETTING_NUMBER,
     offsetof(struct configuration, tracking_webhook_attempts_max), "10", 1, 1000, "N",
     "how often an outgoing webhook is tried, later and later, before it becomes a dead letter",
     "about nine minutes; a receiver that is away for longer has its dead letters replayed"},
    {"tracking", "tracking_subscriptions_max", SETTING_NUMBER,
     offsetof(struct configuration, tracking_subscriptions_max), "100", 1, 1000, "N",
     "how many subscriptions there may be; one more is refused",
     "each reads tracking's log by itself and may hold a connection; a merchant needs a few"},
    {"shipping", "carriers", SETTING_TEXT, offsetof(struct configuration, carriers), "", 0, 0,
     "LIST",
     "whom to ship with, of ups, fedex, dhl, tariff; empty = the tariff and those with an account",
     "an account is there to be used"},
    CARRIER_SETTINGS(ups, "UPS", "https://onlinetools.ups.com", "client id", "client secret"),
    CARRIER_SETTINGS(fedex, "FedEx", "https://apis.fedex.com", "API key", "secret key"),
    CARRIER_SETTINGS(dhl, "DHL Express", "https://express.api.dhl.com/mydhlapi", "API user",
                     "password"),
    {"shipping", "dhl_tracking_base_url", SETTING_TEXT,
     offsetof(struct configuration, dhl.tracking_base_url), "", 0, 0, "URL",
     "where DHL's Unified Tracking is asked; empty = MyDHL is", "MyDHL needs no second key"},
    {"shipping", "dhl_tracking_key", SETTING_TEXT, offsetof(struct configuration, dhl.tracking_key),
     "", 0, 0, "TEXT", "its key", "goes with dhl_tracking_base_url"},
    {"shipping", "tariff_cards", SETTING_TEXT, offsetof(struct configuration, tariff_cards), "", 0,
     0, "DIR", "the cards of the carrier `tariff`; empty = those that came with the program",
     "prices of your own are files of data, not of code"},
    {"shipping", "rate_key_file", SETTING_TEXT, offsetof(struct configuration, rate_key_file), "",
     0, 0, "FILE",
     "the key that seals rates, 64 hexadecimal digits; empty = DATA/shipping_rate_key",
     "that one is made by itself; several processes of one shop need the same"},
    {"shipping", "rates_ms_max", SETTING_NUMBER, offsetof(struct configuration, rates_ms_max),
     "5000", 50, 600000, "MS", "how long carriers may rate where the caller has no deadline",
     "a customer looks at the basket meanwhile"},
    {"shipping", "rate_seconds", SETTING_NUMBER, offsetof(struct configuration, rate_seconds),
     "3600", 1, 604800, "N", "how long a rate may be bought",
     "longer than a checkout, shorter than a change of prices"},
    {"shipping", "purchase_seconds_max", SETTING_NUMBER,
     offsetof(struct configuration, purchase_seconds_max), "60", 1, 600, "N",
     "how long a carrier may take over a purchase; what comes later is looked up",
     "carriers' own limit is about that"},
    {"shipping", "first_lookup_seconds", SETTING_NUMBER,
     offsetof(struct configuration, first_lookup_seconds), "60", 0, 60, "N",
     "how long after it was sent a purchase without an answer is looked up",
     "carriers' searches lag by about that"},
    {"shipping", "lookup_seconds_max", SETTING_NUMBER,
     offsetof(struct configuration, lookup_seconds_max), "86400", 1, 86400, "N",
     "how long it is looked up, then a person is asked", "carriers promise their searches by then"},
    {"sql", "migrate", SETTING_CHOICE, offsetof(struct configuration, migrate), "auto", 0, 0,
     "auto|refuse", "what a start does when the database's tables are older than this program",
     "refuse is for those who run `waybill migrate up` as a step of their own"},
    {"sql", "allow_degraded", SETTING_CHOICE, offsetof(struct configuration, allow_degraded), "no",
     0, 0, "no|yes", "start although the database's settings may lose acknowledged writes",
     "a promise that cannot be kept is not given silently"},
    {"sql", "sql_connections", SETTING_NUMBER, offsetof(struct configuration, sql_connections), "8",
     1, 256, "N", "connections to PostgreSQL of each service, and so transactions at once",
     "more only wait for each other's locks and for the server's disk"},
    {"sql", "sql_queue_length_max", SETTING_NUMBER,
     offsetof(struct configuration, sql_queue_length_max), "8192", 1, 1048576, "N",
     "transactions of each service that may wait; beyond it OVERLOADED", "a second's work or two"},
    {"sql", "sql_statement_ms_max", SETTING_NUMBER,
     offsetof(struct configuration, sql_statement_ms_max), "3000", 10, 600000, "MS",
     "how long one statement may take in PostgreSQL, waiting for locks included",
     "a server that does not answer is given up one second later"},
    {"events", "events_retention_days", SETTING_NUMBER,
     offsetof(struct configuration, events_retention_days), "7", 1, 36500, "N",
     "how long events that were relayed are kept for subscribers",
     "a consumer that was away over a long weekend still finds its place"},
    {"events", "outbox_bytes_max", SETTING_NUMBER, offsetof(struct configuration, outbox_bytes_max),
     "268435456", 65536, 1099511627776, "N",
     "what may wait to be relayed, a context; beyond it writes are refused",
     "about a million events: an hour's worth of a busy shop"},
    {"events", "events_adopt", SETTING_CHOICE, offsetof(struct configuration, events_adopt), "no",
     0, 0, "no|yes", "yes: relay although a store's events went into another event log before",
     "two logs of one store are a mistake, unless the old one is lost"},
    {"events", "event_subscribers_max", SETTING_NUMBER,
     offsetof(struct configuration, event_subscribers_max), "10000", 1, 1000000, "N",
     "streams of events at once; further ones are refused",
     "each takes some KiB, and as much again as its connection has queued"},
    {"events", "event_slow_seconds", SETTING_NUMBER,
     offsetof(struct configuration, event_slow_seconds), "10", 1, 86400, "N",
     "a subscriber that takes nothing for so long is ended, with its cursor",
     "a reader that is alive reads within seconds"},
};

enum { settings_count = sizeof settings / sizeof settings[0] };

/* --- what is wrong --- */

enum { problems_kept_max = 20, problems_bytes_max = 64 * 1024, file_bytes_max = 1024 * 1024 };

void configuration_problems_init(struct configuration_problems *problems)
{
    problems->count = 0;
    buffer_init(&problems->lines, problems_bytes_max);
}

void configuration_problems_deinit(struct configuration_problems *problems)
{
    buffer_deinit(&problems->lines);
}

void configuration_problems_add(struct configuration_problems *problems, const char *where,
                                const char *what)
{
    problems->count++;
    if (problems->count <= problems_kept_max &&
        !buffer_append_format(&problems->lines, "%s: %s\n", where, what))
        fprintf(stderr, "%s: %s\n", where, what);
}

void configuration_problems_print(const struct configuration_problems *problems, FILE *out)
{
    fprintf(out, "%.*s", (int)problems->lines.size, problems->lines.data);
    if (problems->count > problems_kept_max)
        fprintf(out, "and %zu more\n", problems->count - problems_kept_max);
}

/* --- one value --- */

static void set_number(struct configuration *configuration, const struct setting *setting,
                       const char *where, struct text value,
                       struct configuration_problems *problems)
{
    char what[160];
    int64_t number;
    if (text_to_int64(value, &number) && number >= setting->minimum && number <= setting->maximum) {
        memcpy((char *)configuration + setting->offset, &number, sizeof number);
        return;
    }
    snprintf(what, sizeof what, "must be a whole number from %lld to %lld",
             (long long)setting->minimum, (long long)setting->maximum);
    configuration_problems_add(problems, where, what);
}

/* Whether `value` is one of "text|json". */
static bool is_choice(const char *choices, struct text value)
{
    while (*choices != '\0') {
        size_t next = strcspn(choices, "|");
        if (text_equal(text_make(choices, next), value))
            return true;
        choices += next + (choices[next] == '|');
    }
    return false;
}

static void set_value(struct configuration *configuration, const struct setting *setting,
                      const char *where, struct text value, struct configuration_problems *problems)
{
    char what[160];
    enum log_level level;
    char *out = (char *)configuration + setting->offset;
    if (setting->kind == SETTING_NUMBER) {
        set_number(configuration, setting, where, value, problems);
    } else if (value.size >= setting_text_bytes_max) {
        configuration_problems_add(problems, where, "must be at most 511 bytes");
    } else if (!text_is_utf8(value) || text_has_control(value)) {
        configuration_problems_add(problems, where, "must be UTF-8 without control characters");
    } else if (setting->kind == SETTING_LOG_LEVEL && !log_level_from_text(value, &level)) {
        configuration_problems_add(problems, where, "must be debug, info, warning, error or off");
    } else if (value.size == 0 && setting->default_text[0] != '\0') {
        configuration_problems_add(problems, where, "must not be empty");
    } else if (setting->kind == SETTING_CHOICE && !is_choice(setting->argument, value)) {
        snprintf(what, sizeof what, "must be one of %s", setting->argument);
        configuration_problems_add(problems, where, what);
    } else {
        if (value.size > 0)
            memcpy(out, value.data, value.size);
        out[value.size] = '\0';
    }
}

/* --- the file --- */

struct file_reading {
    struct configuration *configuration;
    const char *name;
    bool seen[settings_count];
    struct configuration_problems *problems;
};

static void flag_name(const struct setting *setting, char *out, size_t size)
{
    snprintf(out, size, "--%s", setting->name);
    for (char *c = out; *c != '\0'; c++) {
        if (*c == '_')
            *c = '-';
    }
}

/* `is_flag`: by the names on the command line. */
static void add_unknown(struct configuration_problems *problems, const char *where,
                        const char *name, bool is_flag)
{
    char names[settings_count][64];
    char what[160];
    struct suggestion suggestion = suggestion_begin(name);
    for (size_t i = 0; i < settings_count; i++) {
        if (is_flag)
            flag_name(&settings[i], names[i], sizeof names[i]);
        else
            snprintf(names[i], sizeof names[i], "%s", settings[i].name);
        suggestion_consider(&suggestion, names[i]);
    }
    if (suggestion.best == NULL)
        snprintf(what, sizeof what, "is no %s; `waybill serve --help` lists them",
                 is_flag ? "option" : "setting");
    else
        snprintf(what, sizeof what, "is no %s; did you mean %s?", is_flag ? "option" : "setting",
                 suggestion.best);
    configuration_problems_add(problems, where, what);
}

/* The setting of that name, whatever the section; NULL if there is none. */
static const struct setting *find_setting(struct text name)
{
    for (size_t i = 0; i < settings_count; i++) {
        if (text_equals_string(name, settings[i].name))
            return &settings[i];
    }
    return NULL;
}

static void on_file_setting(void *context, const struct configuration_file_line *line)
{
    struct file_reading *reading = context;
    char where[700];
    char what[160];
    char name[65];
    const struct setting *setting = find_setting(line->name);
    snprintf(name, sizeof name, "%.*s", line->name.size < 64 ? (int)line->name.size : 64,
             line->name.data);
    snprintf(where, sizeof where, "%s:%lu: %s", reading->name, line->number, name);
    if (setting == NULL) {
        add_unknown(reading->problems, where, name, false);
    } else if (!text_equals_string(line->section, setting->section)) {
        snprintf(what, sizeof what, "belongs below [%s]", setting->section);
        configuration_problems_add(reading->problems, where, what);
    } else if (reading->seen[setting - settings]) {
        configuration_problems_add(reading->problems, where, "is set twice");
    } else {
        reading->seen[setting - settings] = true;
        set_value(reading->configuration, setting, where, line->value, reading->problems);
    }
}

static void on_misformed_line(void *context, const struct configuration_file_line *line)
{
    struct file_reading *reading = context;
    char where[600];
    snprintf(where, sizeof where, "%s:%lu", reading->name, line->number);
    configuration_problems_add(reading->problems, where,
                               "is neither [section], name = value nor a comment");
}

void configuration_read_text(struct configuration *configuration, const char *name,
                             struct text text, struct configuration_problems *problems)
{
    struct file_reading reading = {
        .configuration = configuration, .name = name, .problems = problems};
    const struct configuration_file_reader reader = {
        .setting = on_file_setting, .misformed = on_misformed_line, .context = &reading};
    configuration_file_read(text, &reader);
}

/* False: told what is wrong. */
static bool load_file(const char *path, struct buffer *text,
                      struct configuration_problems *problems)
{
    char what[160];
    char chunk[4096];
    bool fits = true;
    FILE *file = fopen(path, "rb");
    while (file != NULL && fits) {
        size_t got = fread(chunk, 1, sizeof chunk, file);
        if (got == 0)
            break;
        fits = buffer_append(text, chunk, got);
    }
    if (!fits) {
        configuration_problems_add(problems, path, "is larger than 1 MiB");
    } else if (file == NULL || ferror(file)) {
        snprintf(what, sizeof what, "cannot be read: %s", strerror(errno));
        configuration_problems_add(problems, path, what);
        fits = false;
    }
    if (file != NULL)
        fclose(file);
    return fits;
}

static void read_file(struct configuration *configuration, struct configuration_problems *problems)
{
    struct buffer text;
    buffer_init(&text, file_bytes_max);
    if (load_file(configuration->config, &text, problems))
        configuration_read_text(configuration, configuration->config, buffer_text(&text), problems);
    buffer_deinit(&text);
}

/* --- variables and flags --- */

static void variable_name(const struct setting *setting, char *out, size_t size)
{
    snprintf(out, size, "WAYBILL_%s", setting->name);
    for (char *c = out; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
}

static void read_variables(struct configuration *configuration,
                           struct configuration_problems *problems)
{
    for (size_t i = 0; i < settings_count; i++) {
        char name[64];
        variable_name(&settings[i], name, sizeof name);
        const char *value = getenv(name);
        if (value != NULL)
            set_value(configuration, &settings[i], name, text_of(value), problems);
    }
}

/* The value of a flag: "--name=value" or the next argument. NULL if it has none. */
static const char *flag_value(int argc, char **argv, int *at, const char *flag)
{
    size_t size = strlen(flag);
    if (argv[*at][size] == '=')
        return argv[*at] + size + 1;
    return *at + 1 < argc ? argv[++*at] : NULL;
}

static bool is_flag(const char *argument, const char *flag)
{
    size_t size = strlen(flag);
    return strncmp(argument, flag, size) == 0 && (argument[size] == '\0' || argument[size] == '=');
}

static void read_flag(struct configuration *configuration, int argc, char **argv, int *at,
                      struct configuration_problems *problems)
{
    char flag[64];
    const char *value;
    for (size_t i = 0; i < settings_count; i++) {
        flag_name(&settings[i], flag, sizeof flag);
        if (!is_flag(argv[*at], flag))
            continue;
        value = flag_value(argc, argv, at, flag);
        if (value == NULL)
            configuration_problems_add(problems, flag, "needs a value");
        else
            set_value(configuration, &settings[i], flag, text_of(value), problems);
        return;
    }
    snprintf(flag, sizeof flag, "%.*s", (int)strcspn(argv[*at], "="), argv[*at]);
    add_unknown(problems, argv[*at], flag, true);
}

/* --config goes first, because the file comes before variables and flags. */
static void find_config(struct configuration *configuration, int argc, char **argv,
                        struct configuration_problems *problems)
{
    const char *value = getenv("WAYBILL_CONFIG");
    for (int at = 0; at < argc; at++) {
        if (!is_flag(argv[at], "--config"))
            continue;
        value = flag_value(argc, argv, &at, "--config");
        if (value == NULL) {
            configuration_problems_add(problems, "--config", "needs a value");
            return;
        }
    }
    if (value != NULL && strlen(value) >= setting_text_bytes_max)
        configuration_problems_add(problems, "--config", "must be at most 511 bytes");
    else if (value != NULL)
        strcpy(configuration->config, value);
}

static void set_defaults(struct configuration *configuration,
                         struct configuration_problems *problems)
{
    *configuration = (struct configuration){0};
    for (size_t i = 0; i < settings_count; i++)
        set_value(configuration, &settings[i], settings[i].name, text_of(settings[i].default_text),
                  problems);
}

bool configuration_read(struct configuration *configuration, int argc, char **argv,
                        const char **operands, size_t *operand_count,
                        struct configuration_problems *problems)
{
    *operand_count = 0;
    set_defaults(configuration, problems);
    find_config(configuration, argc, argv, problems);
    if (configuration->config[0] != '\0')
        read_file(configuration, problems);
    read_variables(configuration, problems);
    for (int at = 0; at < argc; at++) {
        if (argv[at][0] != '-')
            operands[(*operand_count)++] = argv[at];
        else if (is_flag(argv[at], "--config"))
            (void)flag_value(argc, argv, &at, "--config");
        else
            read_flag(configuration, argc, argv, &at, problems);
    }
    if (configuration->batch_bytes_max > configuration->segment_bytes / 4)
        configuration_problems_add(problems, "batch_bytes_max",
                                   "must be at most a quarter of segment_bytes");
    return problems->count == 0;
}

/* --- help --- */

void configuration_print_help(FILE *out)
{
    const char *section = "";
    fprintf(out,
            "  --config FILE\n      a configuration file; config/waybill.ini explains it all\n");
    for (size_t i = 0; i < settings_count; i++) {
        char flag[64];
        flag_name(&settings[i], flag, sizeof flag);
        if (strcmp(section, settings[i].section) != 0)
            fprintf(out, "\n [%s]\n", settings[i].section);
        section = settings[i].section;
        fprintf(out, "  %s %s\n      %s\n      default: %s\n", flag, settings[i].argument,
                settings[i].help,
                settings[i].default_text[0] == '\0' ? "empty" : settings[i].default_text);
    }
}

void configuration_print_file(FILE *out)
{
    const char *section = "";
    fprintf(out,
            "; Every setting of `waybill serve` with its default and why.\n"
            "; A flag (--drain-seconds) goes before a variable (WAYBILL_DRAIN_SECONDS), a variable "
            "before\n; this file, this file before the default.\n");
    for (size_t i = 0; i < settings_count; i++) {
        if (strcmp(section, settings[i].section) != 0)
            fprintf(out, "\n[%s]\n", settings[i].section);
        section = settings[i].section;
        fprintf(out, "; %s.\n; Default because: %s.\n", settings[i].help, settings[i].why);
        if (settings[i].kind == SETTING_NUMBER)
            fprintf(out, "; %lld to %lld.\n", (long long)settings[i].minimum,
                    (long long)settings[i].maximum);
        fprintf(out, "%s = %s\n", settings[i].name, settings[i].default_text);
    }
}
