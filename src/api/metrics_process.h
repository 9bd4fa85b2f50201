/* SPDX-License-Identifier: Apache-2.0 */
/* The process itself, under the names that Prometheus' client libraries have for these (process_*):
 * memory, CPU time, open files, start. Read from /proc; what is not there is left out. */
#ifndef CAREEN_API_METRICS_PROCESS_H
#define CAREEN_API_METRICS_PROCESS_H

#include "base/buf.h"

/* Takes some 30 us, more with many open files. */
void metrics_write_process(struct buf *out);

#endif
