/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process log, to standard error: an event is one line, always, whatever bytes its texts hold,
 * and is written whole, in one of two formats:
 *
 *     time=2026-11-24T06:52:24.123Z level=info msg="index loaded" took_ms=12
 *     {"time":"2026-11-24T06:52:24.123Z","level":"info","msg":"index loaded","took_ms":12}
 *
 * In both a quoted text is a JSON string (RFC 8259): control characters, and those that end a line
 * or turn the direction of writing, are escaped, a byte that is no UTF-8 is U+FFFD. logfmt quotes
 * where a text is empty or holds a blank, '"', '=', '\' or something escaped. A text that is
 * escaped to more than LOG_TEXT_CHARS is cut there, and ends with "...".
 *
 * Only cli/ and the server's own loops log above debug; library code returns errors instead. Any
 * thread may call anything here.
 */
#ifndef CAREEN_BASE_LOG_H
#define CAREEN_BASE_LOG_H

#include "base/err.h"
#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_set_level(enum log_level level);    /* default LOG_INFO */
void log_set_format(enum log_format format); /* default LOG_LOGFMT */
/* Would a line of this level be written? For callers whose line takes work to put together. */
bool log_enabled(enum log_level level);

enum { LOG_FIELDS_MAX = 16, LOG_TEXT_CHARS = 2000, LOG_KEY_CHARS = 32 };

/* A named value of an event. The key is lower-case letters, digits and '_', at most LOG_KEY_CHARS:
 * it is written as it is. */
struct log_field {
    const char *key;
    bool is_number;
    int64_t number;
    struct slice text;
};
#define LOG_NUMBER(name, value) \
    ((struct log_field){.key = (name), .is_number = true, .number = (value)})
#define LOG_TEXT(name, value) ((struct log_field){.key = (name), .text = (value)})

/* At most LOG_FIELDS_MAX fields. `event` is the line's msg. */
void log_event(
    enum log_level level, const char *event, const struct log_field *fields, size_t count);
/* The same; but where lines are gathered, it may be written up to LOG_GATHER_MS later, together
 * with others: for what happens at every request. */
void log_event_soon(
    enum log_level level, const char *event, const struct log_field *fields, size_t count);
/* An event without fields. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * From here on lines of log_event_soon() are gathered, by a thread of this module's own; every
 * other line is written at once as ever, behind those that waited. A process that is killed loses
 * what it logged in its last LOG_GATHER_MS in this way. To be ended with log_gather_stop(), which
 * writes what is left, before it is begun again. ERR_IO: there is no thread to be had.
 */
enum { LOG_GATHER_MS = 10 };
int log_gather_start(struct err *err);
void log_gather_stop(void);

/* What log_event() writes, without the level's check, into dst; returns its length. */
enum { LOG_LINE_BYTES = (LOG_FIELDS_MAX + 1) * (LOG_TEXT_CHARS + LOG_KEY_CHARS + 8) + 128 };
size_t log_format_event(enum log_format format, enum log_level level, int64_t time_ms,
    const char *event, const struct log_field *fields, size_t count, char dst[LOG_LINE_BYTES]);

#endif
