/* SPDX-License-Identifier: Apache-2.0 */
/* See decision_render.h. */
#include "api/decision_render.h"

static void write_texts(
    struct json_writer *w, const char *key, const struct slice *texts, size_t count)
{
    if (count == 0)
        return;
    json_write_key(w, key);
    json_write_begin_array(w);
    for (size_t i = 0; i < count; i++)
        json_write_string(w, texts[i]);
    json_write_end_array(w);
}

static void write_time(struct json_writer *w, const char *key, int64_t epoch_ms)
{
    if (epoch_ms == 0)
        return;
    json_write_key(w, key);
    json_write_i64(w, epoch_ms);
}

static void write_word_if(
    struct json_writer *w, const char *key, const struct words *words, int value)
{
    if (value >= 0)
        json_write_member(w, key, slice_of(words_name(words, value)));
}

static void write_images(struct json_writer *w, const struct decision *decision)
{
    char id[UUID_TEXT_BYTES];

    if (decision->image_count == 0)
        return;
    json_write_key(w, "image_ids");
    json_write_begin_array(w);
    for (size_t i = 0; i < decision->image_count; i++) {
        image_id_format(decision->images[i], id);
        json_write_string(w, slice_of(id));
    }
    json_write_end_array(w);
}

void decision_write(struct json_writer *w, const struct decision_view *view)
{
    const struct decision *decision = view->decision;

    json_write_begin_object(w);
    json_write_member_u64(w, "number", decision->number);
    write_word_if(w, "action", &decision_action_words, (int)decision->action);
    write_texts(w, "vul_ids", view->vul_ids, decision->vuln_count);
    json_write_member_if(w, "package", decision->package);
    write_word_if(w, "type", &vul_type_words, decision->type);
    write_word_if(w, "scope", &decision_scope_words, (int)decision->scope);
    json_write_member_if(w, "place", decision->place);
    write_images(w, decision);
    write_word_if(w, "image_type", &image_type_words, decision->image_type);
    write_texts(w, "enterprise_project_ids", decision->enterprise_projects,
        decision->enterprise_project_count);
    json_write_member(w, "author", decision->author);
    json_write_member(w, "reason", decision->reason);
    write_time(w, "created_ms", decision->created_ms);
    write_time(w, "expires_ms", decision->expires_ms);
    write_word_if(w, "state", &decision_end_words, (int)decision->end);
    write_time(w, "ended_ms", decision->ended_ms);
    json_write_member_if(w, "ended_by", decision->ended_by);
    json_write_member_u64(w, "rows", view->rows);
    json_write_end_object(w);
}

void decision_write_outcome(struct json_writer *w, const struct decision_outcome *outcome)
{
    json_write_member_u64(w, "rows", outcome->rows);
    json_write_member_u64(w, "reached", outcome->reached);
    json_write_key(w, "decisions");
    json_write_begin_array(w);
    for (size_t i = 0; i < outcome->numbers.count; i++)
        json_write_i64(w, outcome->numbers.at[i]);
    json_write_end_array(w);
}
