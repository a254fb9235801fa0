#ifndef WAYBILL_TESTS_SUPPORT_TRACKING_TRACKING_MODEL_STATE_H
#define WAYBILL_TESTS_SUPPORT_TRACKING_TRACKING_MODEL_STATE_H

#include "tests/support/tracking/tracking_model.h"
#include "tracking/domain/limits.h"

/* What the files of the model share. */
enum { numbers_max = 4096, notes_max = 256 };

struct model_number {
    bool exists;
    struct text carrier;
    struct text number;
    int64_t revision;
    struct tracking_generation generations[tracking_generations_max];
    size_t generation_count;
    struct tracking_event *events;
    size_t event_count;
    struct {
        int64_t time_us;
        int32_t latitude_e7;
        int32_t longitude_e7;
    } pings[256];
    size_t ping_count;
};

struct tracking_model {
    struct tracking_repository base;
    struct clock *clock;
    int64_t ping_retention_us;
    int64_t generation_gap_us;
    int64_t now_us;
    struct arena arena;
    struct tracking_note notes[notes_max];
    size_t note_count;
    struct model_number *numbers[numbers_max];
    size_t number_count;
};

/* The model behind the port; its time is the clock's from here on. */
struct tracking_model *tracking_model_of(struct tracking_repository *repository);

void tracking_model_answer(struct tracking_command *command, enum tracking_outcome outcome);

/* NULL: there is none. */
struct model_number *tracking_model_find(struct tracking_model *model, struct text carrier,
                                         struct text number);

/* Which generation an event of that time belongs to. */
size_t tracking_model_generation_of(const struct model_number *number, int64_t time_us);
bool tracking_model_is_withdrawn(const struct model_number *number,
                                 const struct tracking_event *event);
void tracking_model_describe(const struct tracking_model *model, const struct model_number *number,
                             size_t index, struct tracking *tracking);

/* --- tracking_model_lists.c --- */

void tracking_model_list_events(struct tracking_repository *repository,
                                struct list_events_command *command);
void tracking_model_list_trackings(struct tracking_repository *repository,
                                   struct list_trackings_command *command);
void tracking_model_list_idle(struct tracking_repository *repository,
                              struct list_idle_trackings_command *command);

#endif
