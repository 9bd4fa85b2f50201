/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the lines of the log go: to standard error, whole and in order, by one write(2) each; or,
 * lines that may wait, many by one: a write to a file costs as much as putting ten lines together.
 * For base/log.c alone; log.h has the functions that begin and end the gathering.
 */
#ifndef CAREEN_BASE_LOG_OUTPUT_H
#define CAREEN_BASE_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* A line of at most LOG_LINE_BYTES, with its end. may_wait: it is written LOG_GATHER_MS later at
 * most, if lines are gathered. Else it is written when this returns, behind those that waited. Any
 * thread. What cannot be written is lost. */
void log_output(const char *line, size_t len, bool may_wait);

#endif
