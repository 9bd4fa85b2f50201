/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process log, one line an event, to standard error: "2026-11-24T06:52:24.123Z level text".
 * Only cli/ and the server's own loops log above debug; library code returns errors instead.
 * Any thread may call; a line is written whole.
 */
#ifndef CAREEN_BASE_LOG_H
#define CAREEN_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_INFO; call before threads start */
/* Would a line of this level be written? For callers whose line takes work to put together. */
bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
