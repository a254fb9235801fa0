/*
 * The metrics of a server in Prometheus' text format (prometheus.io/docs/instrumenting/
 * exposition_formats), under the names that gRPC servers of other languages use
 * (github.com/grpc-ecosystem/go-grpc-middleware, providers/prometheus).
 */
#include "platform/rpc/server.h"

#include "platform/rpc/server/server_state.h"

#include <stdio.h>

static const char *kind_name(enum rpc_kind kind)
{
    switch (kind) {
    case RPC_UNARY:
        return "unary";
    case RPC_SERVER_STREAM:
        return "server_stream";
    case RPC_CLIENT_STREAM:
        return "client_stream";
    case RPC_BIDI_STREAM:
        return "bidi_stream";
    }
    return "unary";
}

enum { labels_bytes_max = 256 };

/* grpc_type, grpc_service, grpc_method: of entry `index`, or of all unknown paths. */
static void write_labels(const struct rpc_server *server, size_t index, char *out)
{
    if (index == server->methods.count) {
        snprintf(out, labels_bytes_max,
                 "grpc_type=\"unary\",grpc_service=\"unknown\",grpc_method=\"unknown\"");
        return;
    }
    const struct method_entry *entry = &server->methods.entries[index];
    snprintf(out, labels_bytes_max, "grpc_type=\"%s\",grpc_service=\"%s\",grpc_method=\"%s\"",
             kind_name(entry->method->kind), entry->service->descriptor->name,
             entry->descriptor->name);
}

static struct rpc_method_metrics sum_of(const struct rpc_server *server, size_t index)
{
    struct rpc_method_metrics sum = {0};
    for (uint32_t i = 0; i < server->loop_count; i++)
        rpc_metrics_add(&sum, &server->loops[i].metrics.methods[index]);
    return sum;
}

/* Writes one method's part of a family. False: limit or memory. */
typedef bool write_function(struct buffer *out, const char *labels,
                            const struct rpc_method_metrics *metrics);

static bool write_started(struct buffer *out, const char *labels,
                          const struct rpc_method_metrics *metrics)
{
    return buffer_append_format(out, "grpc_server_started_total{%s} %llu\n", labels,
                                (unsigned long long)metrics->started);
}

static bool write_handled(struct buffer *out, const char *labels,
                          const struct rpc_method_metrics *metrics)
{
    bool fits = true;
    for (size_t code = 0; fits && code < rpc_status_count; code++) {
        if (code == GRPC_STATUS_OK || metrics->ended[code] > 0)
            fits = buffer_append_format(
                out, "grpc_server_handled_total{%s,grpc_code=\"%s\"} %llu\n", labels,
                grpc_status_name((enum grpc_status)code), (unsigned long long)metrics->ended[code]);
    }
    return fits;
}

static bool write_durations(struct buffer *out, const char *labels,
                            const struct rpc_method_metrics *metrics)
{
    uint64_t count = 0;
    bool fits = true;
    for (size_t i = 0; fits && i < rpc_duration_buckets; i++) {
        count += metrics->took[i];
        fits = buffer_append_format(out, "grpc_server_handling_seconds_bucket{%s,le=\"%g\"} %llu\n",
                                    labels, (double)rpc_duration_bounds_us[i] / 1e6,
                                    (unsigned long long)count);
    }
    count += metrics->took[rpc_duration_buckets];
    return fits &&
           buffer_append_format(out,
                                "grpc_server_handling_seconds_bucket{%s,le=\"+Inf\"} %llu\n"
                                "grpc_server_handling_seconds_sum{%s} %.6f\n"
                                "grpc_server_handling_seconds_count{%s} %llu\n",
                                labels, (unsigned long long)count, labels,
                                (double)metrics->took_us / 1e6, labels, (unsigned long long)count);
}

static bool write_family(const struct rpc_server *server, struct buffer *out, const char *name,
                         const char *type, const char *help, write_function *write)
{
    char labels[labels_bytes_max];
    bool fits = buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    for (size_t i = 0; fits && i <= server->methods.count; i++) {
        struct rpc_method_metrics sum = sum_of(server, i);
        write_labels(server, i, labels);
        fits = write(out, labels, &sum);
    }
    return fits;
}

static bool write_one(struct buffer *out, const char *name, const char *type, const char *help,
                      uint64_t value)
{
    return buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name,
                                type, name, (unsigned long long)value);
}

static bool write_connections(const struct rpc_server *server, struct buffer *out)
{
    struct http_counters sum;
    http_server_count(server->http, &sum);
    return write_one(out, "waybill_http_connections", "gauge", "Connections open now.",
                     sum.connections_open) &&
           write_one(out, "waybill_http_connections_accepted_total", "counter",
                     "Connections accepted.", sum.connections_accepted) &&
           write_one(out, "waybill_http_connections_refused_total", "counter",
                     "Connections closed at once, beyond the limit.", sum.connections_refused) &&
           write_one(out, "waybill_http_connections_barred_total", "counter",
                     "Connections closed at once, of addresses that had spent their abuse budget.",
                     sum.connections_barred) &&
           write_one(out, "waybill_http_connections_punished_total", "counter",
                     "Connections ended for resets, pings or empty frames.",
                     sum.connections_punished) &&
           write_one(out, "waybill_http_connections_slow_total", "counter",
                     "Connections closed because nothing came or left in time.",
                     sum.connections_slow) &&
           write_one(out, "waybill_http_requests_total", "counter", "Requests that arrived.",
                     sum.exchanges_opened) &&
           write_one(out, "waybill_http_heads_refused_total", "counter",
                     "Requests refused because their headers are too long.", sum.heads_refused) &&
           write_one(out, "waybill_http_requests_late_total", "counter",
                     "Requests answered before they had come whole, which took too long.",
                     sum.requests_late) &&
           write_one(out, "waybill_http_streams", "gauge", "Requests being answered now.",
                     sum.exchanges_open) &&
           write_one(out, "waybill_http_received_bytes_total", "counter",
                     "Bytes received, in TLS after opening.", sum.bytes_received) &&
           write_one(out, "waybill_http_sent_bytes_total", "counter",
                     "Bytes sent, in TLS before sealing.", sum.bytes_sent);
}

bool rpc_server_write_metrics(struct rpc_server *server, struct buffer *out)
{
    return write_family(server, out, "grpc_server_started_total", "counter",
                        "Calls that arrived, by method.", write_started) &&
           write_family(server, out, "grpc_server_handled_total", "counter",
                        "Calls that ended, by method and status.", write_handled) &&
           write_family(server, out, "grpc_server_handling_seconds", "histogram",
                        "How long calls took, by method.", write_durations) &&
           write_connections(server, out);
}
