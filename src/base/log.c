/* SPDX-License-Identifier: Apache-2.0 */
/* One write(2) a line, so that lines of several threads never mix. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <unistd.h>

static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    max_level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= max_level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char line[2048], when[CLOCK_TEXT_BYTES];
    size_t used;
    va_list args;
    int wrote;

    if (!log_enabled(level))
        return;
    used = (size_t)snprintf(
        line, sizeof(line), "%s %s ", clock_format(clock_now_ms(), when), names[level]);
    va_start(args, format);
    wrote = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    if (wrote < 0)
        return;
    used += (size_t)wrote;
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return; /* nowhere left to say it */
}
