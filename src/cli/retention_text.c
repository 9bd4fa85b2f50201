/* SPDX-License-Identifier: Apache-2.0 */
/* See retention_text.h. */
#include "cli/retention_text.h"

#include "base/clock.h"
#include "base/when.h"

void retention_past_write(const struct retention_past *past, struct buf *out)
{
    char when[CLOCK_TEXT_BYTES], age[WHEN_DURATION_BYTES];

    if (past->ran_ms == 0) {
        buf_put_cstr(out, "has not run");
        return;
    }
    if (past->superseded_ms >= 0)
        buf_printf(out, "superseded after %s", when_duration_format(past->superseded_ms, age));
    if (past->unseen_ms >= 0)
        buf_printf(out, "%sunseen after %s", past->superseded_ms >= 0 ? ", " : "",
            when_duration_format(past->unseen_ms, age));
    buf_printf(out, "; last run %.19sZ; %lld images removed in all",
        clock_format(past->ran_ms, when), (long long)past->removed);
}

static void write_rule(struct json_writer *w, const char *key, int64_t ms)
{
    json_write_key(w, key);
    if (ms < 0)
        json_write_null(w);
    else
        json_write_i64(w, ms);
}

void retention_past_json(const struct retention_past *past, struct json_writer *w)
{
    bool ran = past->ran_ms > 0;

    json_write_begin_object(w);
    write_rule(w, "last_run_ms", ran ? past->ran_ms : -1);
    write_rule(w, "superseded_ms", ran ? past->superseded_ms : -1);
    write_rule(w, "unseen_ms", ran ? past->unseen_ms : -1);
    json_write_key(w, "removed");
    json_write_i64(w, past->removed);
    json_write_end_object(w);
}
