#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_PROTOCOL_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_PROTOCOL_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/text.h"
#include "platform/json/json_writer.h"
#include "shipping/domain/carrier.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What differs from carrier to carrier on the wire, as pure functions: requests from structs to
 * bytes, answers from bytes to structs. Who sends them, when and how often is http_carrier.h.
 * Thread: any.
 */

/* An account with a carrier. Texts live as long as who uses them; NULL = not set. */
struct carrier_settings {
    const char *base_url;          /* "https://onlinetools.ups.com", without '/' at its end */
    const char *client_id;         /* OAuth; DHL: the user */
    const char *client_secret;     /* OAuth; DHL: the password */
    const char *account_number;    /* who pays */
    const char *tracking_base_url; /* DHL Unified Tracking; with tracking_key */
    const char *tracking_key;      /* NULL = tracking by MyDHL */
    const char *webhook_header;    /* NULL = the carrier's usual one */
    const char *webhook_secret;    /* NULL = no push is believed */
    uint32_t calls_at_once_max;
    uint32_t waiting_max;
    uint32_t calls_per_second_max; /* 0 = no limit */
    uint32_t calls_per_day_max;    /* 0 = no limit; by UTC days, of this process */
    int64_t connect_us_max;
    size_t answer_bytes_max;
};

/* 16 at once, 2,000 waiting, 20 a second, connect 5 s, 16 MiB; no account. */
struct carrier_settings carrier_settings_default(void);

enum { wire_headers_max = 6 };

struct wire_header {
    const char *name;
    char value[192];
};

/* A request as it leaves. */
struct carrier_wire {
    const char *method;
    bool to_tracking;   /* goes to tracking_base_url */
    struct buffer path; /* with query, percent-encoded */
    struct buffer body;
    const char *content_type; /* NULL = there is no body */
    struct wire_header headers[wire_headers_max];
    size_t header_count;
    bool failed; /* no memory, or too long */
};

void carrier_wire_init(struct carrier_wire *wire);
void carrier_wire_deinit(struct carrier_wire *wire);

/* Empties it and names method, path and, for a body of JSON, the writer. */
void wire_begin(struct carrier_wire *wire, const char *method, const char *path);
struct json_writer wire_json(struct carrier_wire *wire);
void wire_end(struct carrier_wire *wire, const struct json_writer *json);

/* A member with the text_shortened to `size`, for carriers refuse what is longer, unless it is
 * empty; in an array (key NULL) an element. */
void wire_put_short(struct json_writer *json, const char *key, struct text text, size_t size);

/* Appends to the path; _escaped percent-encodes all but unreserved characters (RFC 3986). */
void wire_path(struct carrier_wire *wire, const char *text);
void wire_path_escaped(struct carrier_wire *wire, struct text text);
void wire_header(struct carrier_wire *wire, const char *name, struct text value);

/* An answer whose body was read as JSON (NULL = it is none, or empty). */
struct carrier_answer {
    unsigned status;
    json_t *root;
    struct arena *arena; /* results live here */
};

struct carrier_token {
    struct text value;
    int64_t lifetime_seconds;
};

struct carrier_protocol {
    const char *name;
    struct carrier_capabilities capabilities;
    int error_code_digits;  /* numeric codes get zeros in front up to here; 0 = as they are */
    bool basic_credentials; /* client_id and client_secret with every call; there is no token */

    /* NULL where basic_credentials. */
    void (*write_token)(const struct carrier_settings *settings, struct carrier_wire *wire);
    void (*write_rates)(const struct carrier_settings *settings,
                        const struct carrier_rate_request *request, struct carrier_wire *wire);
    void (*write_shipment)(const struct carrier_settings *settings,
                           const struct carrier_shipment_request *request,
                           struct carrier_wire *wire);
    void (*write_cancel)(const struct carrier_settings *settings,
                         const struct carrier_cancel_request *request, struct carrier_wire *wire);
    void (*write_tracking)(const struct carrier_settings *settings,
                           const struct carrier_tracking_request *request,
                           struct carrier_wire *wire);
    void (*write_find)(const struct carrier_settings *settings,
                       const struct carrier_find_request *request, struct carrier_wire *wire);
    /* NULL where labels cannot be had again. */
    void (*write_label_recovery)(const struct carrier_settings *settings,
                                 struct text tracking_number, struct carrier_wire *wire);

    /*
     * Called for a status of 2xx whose JSON holds no error of the carrier's usual shapes. They fill
     * the result and say ANSWERED, or another verdict with code and message.
     */
    void (*read_rates)(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_rates *rates);
    void (*read_shipment)(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_shipment *shipment);
    void (*read_cancel)(const struct carrier_answer *answer, struct carrier_outcome *outcome);
    void (*read_tracking)(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_tracking *tracking);
    void (*read_find)(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                      struct carrier_matches *matches);
    void (*read_labels)(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                        struct carrier_shipment *shipment);

    struct error (*read_webhook)(const struct carrier_settings *settings,
                                 const struct carrier_webhook *webhook, struct arena *arena,
                                 struct carrier_webhook_result *result);
};

extern const struct carrier_protocol ups_protocol;
extern const struct carrier_protocol fedex_protocol;
extern const struct carrier_protocol dhl_protocol;

/*
 * Where the number of the whole is that of one of its parcels (UPS, FedEx): gives it to the parcel
 * without one, if there is one such and no other has it.
 */
void carrier_number_parcels(struct text number, struct carrier_parcel *parcels, size_t count);

/* Of the OAuth answer of UPS and FedEx; expires_in may be a string. */
void carrier_read_token(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                        struct carrier_token *token);

/*
 * Reads the body as JSON and decides by status and by what looks like an error of any of the three
 * carriers. True: it is a 2xx for the operation's own reader. False: `outcome` is complete.
 * The verdict of a 5xx or of bytes that are no JSON is UNKNOWN. Out of memory looks like that, too.
 */
bool carrier_answer_read(const struct carrier_protocol *protocol, unsigned status, struct text body,
                         struct arena *arena, struct carrier_answer *answer,
                         struct carrier_outcome *outcome);

/* Sets verdict, code and message. */
void outcome_set(struct carrier_outcome *outcome, enum carrier_verdict verdict, struct text code,
                 struct text message);
void outcome_set_string(struct carrier_outcome *outcome, enum carrier_verdict verdict,
                        const char *message);

/*
 * A credential that the push presents, compared in constant time. False without one or without a
 * secret of ours.
 */
bool carrier_credential_matches(const struct carrier_webhook *webhook, const char *header,
                                const char *secret);
struct text carrier_webhook_header(const struct carrier_webhook *webhook, const char *name);

/* Reads an authentic push as JSON. False: the result says UNKNOWN_SHAPE, or *error is set. */
bool carrier_webhook_json(const struct carrier_webhook *webhook, struct arena *arena,
                          struct carrier_webhook_result *result, json_t **root,
                          struct error *error);

/*
 * The verdict on what was read from an authentic push: SCANS if there are some, each has its
 * number, its code and its time, and none of its parts was `silent`, else UNKNOWN_SHAPE because of
 * `why_not` (static).
 */
void carrier_webhook_judge(struct carrier_webhook_result *result,
                           const struct carrier_tracking *tracking, size_t silent,
                           const char *why_not);

#endif
