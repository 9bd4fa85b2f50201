/* SPDX-License-Identifier: Apache-2.0 */
/* The gauges of projects: what a caller may see of each. */
#ifndef CAREEN_API_METRICS_PROJECTS_H
#define CAREEN_API_METRICS_PROJECTS_H

#include "api/call.h"

/* Writes them into the call's answer: of every project with metrics_open, else of those in which
 * the caller holds a role; images and findings of the enterprise projects that are granted, and
 * what is one project's as a whole only to those who see all of it. Cost: a walk over the images.
 */
int metrics_write_projects(struct call *call, struct err *err);

#endif
