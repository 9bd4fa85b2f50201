/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of operation_params.h. */
#include "api/operation_params.h"

#include "base/limits.h"
#include "model/decision.h"

#define ENTERPRISE_PROJECT(structure)                                                            \
    {                                                                                            \
        .name = "enterprise_project_id",                                                         \
        .help = "enterprise project; 0, the default one, if not given; all_granted_eps: all of " \
                "the caller's",                                                                  \
        .kind = VALUE_TEXT, .offset = offsetof(struct structure, enterprise_project),            \
        .max_chars = LIMIT_ID_CHARS                                                              \
    }
#define PAGE(structure)                                                     \
    {.name = "offset",                                                      \
        .help = "rows to pass over",                                        \
        .kind = VALUE_NUMBER,                                               \
        .offset = offsetof(struct structure, offset),                       \
        .high = LIMIT_OFFSET_MAX},                                          \
    {                                                                       \
        .name = "limit", .help = "rows on the page", .kind = VALUE_NUMBER,  \
        .offset = offsetof(struct structure, limit), .low = LIMIT_PAGE_MIN, \
        .high = LIMIT_PAGE_MAX, .otherwise = LIMIT_PAGE_MIN                 \
    }

/* --- Handling --------------------------------------------------------------------------------- */

static const struct field operation_params[] = {ENTERPRISE_PROJECT(operation_params)};
const struct fields operation_query = {FIELDS(operation_params), false};

static const struct field preview_params[] = {
    ENTERPRISE_PROJECT(operation_params),
    PAGE(operation_params),
    {.name = "image_name",
        .help = "images whose name contains this",
        .kind = VALUE_TEXT,
        .offset = offsetof(struct operation_params, image_name),
        .max_chars = LIMIT_IMAGE_NAME_CHARS},
    {.name = "vul_name",
        .help = "vulnerabilities whose name contains this",
        .kind = VALUE_TEXT,
        .offset = offsetof(struct operation_params, vul_name),
        .max_chars = LIMIT_NAME_CHARS},
};
const struct fields preview_query = {FIELDS(preview_params), false};

/* --- History ---------------------------------------------------------------------------------- */

#define HISTORY_TEXT(text, member, meaning)                                            \
    {                                                                                  \
        .name = text, .help = meaning, .kind = VALUE_TEXT,                             \
        .offset = offsetof(struct history_params, member), .max_chars = LIMIT_ID_CHARS \
    }

static const struct field history_params[] = {
    ENTERPRISE_PROJECT(history_params),
    PAGE(history_params),
    {.name = "vul_id",
        .help = "the vulnerability, by any of its names",
        .kind = VALUE_TEXT,
        .required = true,
        .offset = offsetof(struct history_params, vul_id),
        .min_chars = 1,
        .max_chars = LIMIT_ID_CHARS},
    {.name = "image_type",
        .help = "images that live there; cicd and cluster are taken, too",
        .kind = VALUE_WORD,
        .strict = true,
        .offset = offsetof(struct history_params, image_type),
        .words = &image_type_words,
        .rows = &image_type_rows},
    HISTORY_TEXT("image_id", image_id, "one image"),
    HISTORY_TEXT("image_name", image_name, "images whose name contains this"),
    {.name = "status",
        .help = "what the rows became",
        .kind = VALUE_WORD,
        .offset = offsetof(struct history_params, status),
        .words = &vul_status_words},
    HISTORY_TEXT("user_name", user_name, "who decided"),
    {.name = "handle_type",
        .help = "what was decided; manual_repair is taken, too",
        .kind = VALUE_WORD,
        .offset = offsetof(struct history_params, action),
        .words = &decision_action_words},
    HISTORY_TEXT("app_name", app_name, "decisions about this package alone"),
    HISTORY_TEXT(
        "app_version", app_version, "finds nothing: decisions are about packages of any version"),
    HISTORY_TEXT("remark", remark, "decisions whose remark contains this"),
};
const struct fields history_query = {FIELDS(history_params), false};

/* --- Careen's own ----------------------------------------------------------------------------- */

static const char *const state_names[] = {
    [DECISIONS_IN_FORCE] = "in_force", [DECISIONS_ALL] = "all"};
static const struct words state_words = {"state", state_names, 2};

static const struct field decisions_params[] = {
    ENTERPRISE_PROJECT(decisions_params),
    {.name = "state",
        .help = "in_force, if not given: those that have not ended",
        .kind = VALUE_WORD,
        .offset = offsetof(struct decisions_params, state),
        .words = &state_words},
    {.name = "vul_id",
        .help = "those about this vulnerability, by any of its names",
        .kind = VALUE_TEXT,
        .offset = offsetof(struct decisions_params, vul_id),
        .max_chars = LIMIT_ID_CHARS},
    {.name = "after",
        .help = "those with a higher number: the member `next` of the page before",
        .kind = VALUE_NUMBER,
        .offset = offsetof(struct decisions_params, after),
        .high = UINT32_MAX},
    {.name = "limit",
        .help = "decisions on the page",
        .kind = VALUE_NUMBER,
        .offset = offsetof(struct decisions_params, limit),
        .low = LIMIT_PAGE_MIN,
        .high = LIMIT_PAGE_MAX,
        .otherwise = LIMIT_PAGE_MIN},
};
const struct fields decisions_query = {FIELDS(decisions_params), false};

static const struct field decide_params[] = {ENTERPRISE_PROJECT(decisions_params)};
const struct fields decide_query = {FIELDS(decide_params), false};
