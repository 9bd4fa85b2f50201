/* SPDX-License-Identifier: Apache-2.0 */
/* See progress.h. Redrawn at most ten times a second. */
#include "cli/progress.h"

#include "base/clock.h"

#include <unistd.h>

enum { BAR_WIDTH = 30, REDRAW_US = 100000 };

void progress_start(struct progress *progress, const char *what, size_t total)
{
    *progress = (struct progress){.what = what,
        .total = total,
        .shown = total > 1 && isatty(STDERR_FILENO),
        .started_us = clock_monotonic_us()};
}

void progress_step(struct progress *progress, size_t done)
{
    static const char bar[] = "##############################";
    int64_t now_us = clock_monotonic_us();
    int filled = (int)(done * BAR_WIDTH / progress->total);
    double seconds = (double)(now_us - progress->started_us) / 1e6;

    if (!progress->shown || (now_us - progress->drawn_us < REDRAW_US && done < progress->total))
        return;
    progress->drawn_us = now_us;
    fprintf(stderr, "\r[%.*s%*s] %zu/%zu %s, %.0f/s\x1b[K", filled, bar, BAR_WIDTH - filled, "",
        done, progress->total, progress->what, seconds > 0 ? (double)done / seconds : 0.0);
}

void progress_clear(const struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\x1b[K");
}
