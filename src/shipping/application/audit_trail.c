/*
 * Calls of carriers for the audit trail. An entry is copied and stored on its own; a store that is
 * away does not make carriers wait, so entries may be lost, which is counted and logged.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "shipping/application/carrier_copies.h"
#include "shipping/application/service_state.h"

#include <stddef.h>
#include <string.h>

enum { audits_max = 1024, entry_bytes_max = 4 * shipping_audit_bytes_max };

static const char cut_mark[] = " [cut here]";

struct kept_audit {
    struct shipping_service *service;
    struct arena arena;
    struct shipping_audit entry;
    struct keep_audit_command command;
};

static void lose(struct shipping_service *service)
{
    uint64_t before =
        atomic_fetch_add_explicit(&service->counters.audits_lost, 1, memory_order_relaxed);
    if ((before & (before + 1)) == 0) /* the 1st, 2nd, 4th, 8th, … */
        log_event(LOG_LEVEL_WARNING, "an entry of the audit trail was lost", NULL, 0);
}

static void release(struct kept_audit *audit)
{
    arena_deinit(&audit->arena);
    memory_release(audit);
}

static void kept(struct shipping_command *command, const struct error *error)
{
    struct kept_audit *audit =
        (struct kept_audit *)(void *)((char *)command - offsetof(struct kept_audit, command));
    struct shipping_service *service = audit->service;
    if (error != NULL)
        lose(service);
    release(audit);
    service->audits--;
    service_job_end(service);
}

/* At most what the trail keeps of it, cut between characters. */
static struct text copy_cut(struct arena *arena, struct text text, bool *failed)
{
    size_t mark = sizeof cut_mark - 1;
    if (text.size <= shipping_audit_bytes_max)
        return copy_text(arena, text, failed);
    size_t size = text_shortened(text, shipping_audit_bytes_max - mark).size;
    char *copy = arena_allocate(arena, size + mark);
    if (copy == NULL) {
        *failed = true;
        return (struct text){0};
    }
    memcpy(copy, text.data, size);
    memcpy(copy + size, cut_mark, mark);
    return text_make(copy, size + mark);
}

/* "id~2" is the second attempt of id. */
static void read_reference(struct text reference, struct shipping_audit *entry)
{
    const char *tilde = reference.size == 0 ? NULL : memchr(reference.data, '~', reference.size);
    int64_t attempt = 1;
    entry->shipment_id = reference;
    if (tilde != NULL) {
        size_t size = (size_t)(tilde - reference.data);
        entry->shipment_id.size = size;
        if (!text_to_int64(text_make(tilde + 1, reference.size - size - 1), &attempt))
            attempt = 1;
    }
    entry->attempt = (uint32_t)attempt;
}

void shipping_service_keep_audit(struct shipping_service *service,
                                 const struct shipping_audit *from)
{
    struct kept_audit *audit = NULL;
    bool failed = false;
    if (service->audits < audits_max)
        audit = memory_allocate_zero(1, sizeof *audit);
    if (audit == NULL) {
        lose(service);
        return;
    }
    struct shipping_audit *entry = &audit->entry;
    audit->service = service;
    arena_init(&audit->arena, entry_bytes_max);
    *entry = *from;
    read_reference(from->shipment_id, entry);
    entry->shipment_id = copy_text(&audit->arena, entry->shipment_id, &failed);
    entry->what = copy_text(&audit->arena, from->what, &failed);
    entry->note = copy_text(&audit->arena, from->note, &failed);
    entry->url = copy_text(&audit->arena, from->url, &failed);
    entry->request = copy_cut(&audit->arena, from->request, &failed);
    entry->answer = copy_cut(&audit->arena, from->answer, &failed);
    if (failed) {
        release(audit);
        lose(service);
        return;
    }
    audit->command = (struct keep_audit_command){.entries = entry, .entry_count = 1};
    service->audits++;
    service_job_begin(service);
    command_begin(service, &audit->command.base, COMMAND_KEEP_AUDIT, &audit->arena);
    command_run(service, &audit->command.base, kept);
}
