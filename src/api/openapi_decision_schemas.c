/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of the calls about decisions (handling.c, history.c, decisions.c). */
#include "api/openapi_schemas.h"

#include "api/decision_body.h"
#include "api/operation.h"

#define UUID "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
#define DIGEST "^sha256:[0-9a-f]{64}$"

/* --- HSS -------------------------------------------------------------------------------------- */

const struct schema schema_operation = {.name = "ImageVulnerabilityOperation",
    .help = "What is decided about which rows",
    .fields = &operation_fields};

const struct schema schema_done = {
    .name = "Done", .help = "It has been done: an object without members"};

static const struct member preview_row_members[] = {
    {.name = "image_id", .help = "the image", .pattern = UUID},
    {.name = "image_name", .help = "its name, without tag"},
    {.name = "vul_id", .help = "the vulnerability"},
    {.name = "vul_name", .help = "the same"},
};
static const struct schema schema_preview_row = {
    "PreviewRow", "A row that would change", MEMBERS(preview_row_members)};

static const struct member preview_members[] = {
    {.name = "total_vul_num",
        .type = MEMBER_INTEGER,
        .help = "rows that would change, not those of this page",
        .maximum = INT32_MAX},
    {.name = "vul_num",
        .type = MEMBER_INTEGER,
        .help = "vulnerabilities in them",
        .maximum = INT32_MAX},
    {.name = "image_num", .type = MEMBER_INTEGER, .help = "images in them", .maximum = INT32_MAX},
    {.name = "data_list", .type = MEMBER_OBJECTS, .help = "the page", .of = &schema_preview_row},
};
const struct schema schema_preview = {"Preview", "What would change", MEMBERS(preview_members)};

static const struct member history_entry_members[] = {
    {.name = "image_id", .help = "the image", .pattern = UUID},
    {.name = "image_name", .help = "its name; not there once it is gone", .optional = true},
    {.name = "image_digest", .help = "its digest", .pattern = DIGEST, .optional = true},
    {.name = "image_version", .help = "its tag", .optional = true},
    {.name = "agent_id", .help = "the host on which it was found", .optional = true},
    {.name = "user_name", .help = "who decided"},
    {.name = "handle_time", .type = MEMBER_INTEGER, .help = "when, in epoch milliseconds"},
    {.name = "handle_type", .help = "what was decided", .words = &decision_action_words},
    {.name = "status", .help = "what rows became by it", .words = &vul_status_words},
    {.name = "app_name", .help = "the package that it was about alone", .optional = true},
    {.name = "remark", .help = "why", .optional = true},
    {.name = "decision", .type = MEMBER_INTEGER, .help = "its number", .beyond = true},
    {.name = "state",
        .help = "whether it is still in force",
        .words = &decision_end_words,
        .beyond = true},
};
static const struct schema schema_history_entry = {
    "HistoryEntry", "A decision, for one image", MEMBERS(history_entry_members)};

static const struct member history_members[] = {
    {.name = "total_num",
        .type = MEMBER_INTEGER,
        .help = "all entries that match, not those of this page",
        .maximum = INT32_MAX},
    {.name = "data_list", .type = MEMBER_OBJECTS, .help = "the page", .of = &schema_history_entry},
};
const struct schema schema_history = {
    "History", "What was decided about a vulnerability", MEMBERS(history_members)};

/* --- Careen's own ----------------------------------------------------------------------------- */

const struct schema schema_decision_body = {.name = "DecisionRequest",
    .help = "A decision to be made; other members are refused",
    .fields = &decision_fields};

static const struct member decision_members[] = {
    {.name = "number", .type = MEMBER_INTEGER, .help = "counts up from 1, never used again"},
    {.name = "action", .help = "what is decided", .words = &decision_action_words},
    {.name = "vul_ids",
        .type = MEMBER_TEXTS,
        .help = "the vulnerabilities, as rows name them now; not there: whatever the package has",
        .optional = true},
    {.name = "package", .help = "in this package alone", .optional = true},
    {.name = "type", .help = "of these alone", .words = &vul_type_words, .optional = true},
    {.name = "scope", .help = "where it holds", .words = &decision_scope_words},
    {.name = "place", .help = "the registry, repository or cluster", .optional = true},
    {.name = "image_ids",
        .type = MEMBER_TEXTS,
        .help = "with the scope images",
        .pattern = UUID,
        .optional = true},
    {.name = "image_type",
        .help = "only images that live there",
        .words = &image_type_words,
        .optional = true},
    {.name = "enterprise_project_ids",
        .type = MEMBER_TEXTS,
        .help = "only images of these; not there: of every one",
        .optional = true},
    {.name = "author", .help = "who decided"},
    {.name = "reason", .help = "why; may be empty"},
    {.name = "created_ms", .type = MEMBER_INTEGER, .help = "when, in epoch milliseconds"},
    {.name = "expires_ms",
        .type = MEMBER_INTEGER,
        .help = "when it is to end; not there: never",
        .optional = true},
    {.name = "state", .help = "whether it has ended", .words = &decision_end_words},
    {.name = "ended_ms", .type = MEMBER_INTEGER, .help = "when it has ended", .optional = true},
    {.name = "ended_by", .help = "who withdrew it", .optional = true},
    {.name = "rows", .type = MEMBER_INTEGER, .help = "rows that it lies over now"},
};
static const struct schema schema_decision = {"Decision", "A decision", MEMBERS(decision_members)};

static const struct member decisions_members[] = {
    {.name = "decisions", .type = MEMBER_OBJECTS, .help = "the page", .of = &schema_decision},
    {.name = "next",
        .type = MEMBER_INTEGER,
        .help = "there while decisions follow: the value of `after` for the next page",
        .optional = true},
};
const struct schema schema_decisions = {
    "Decisions", "A page of decisions", MEMBERS(decisions_members)};

static const struct member outcome_members[] = {
    {.name = "rows", .type = MEMBER_INTEGER, .help = "rows that became (would become) others"},
    {.name = "reached", .type = MEMBER_INTEGER, .help = "rows that the decision is about"},
    {.name = "decisions",
        .type = MEMBER_INTEGERS,
        .help = "their numbers; empty when nothing was done"},
};
const struct schema schema_decision_outcome = {
    "DecisionOutcome", "What came of it", MEMBERS(outcome_members)};

static const struct member withdrawn_members[] = {
    {.name = "rows", .type = MEMBER_INTEGER, .help = "rows that became others"},
};
const struct schema schema_withdrawn = {
    "Withdrawn", "A decision was withdrawn", MEMBERS(withdrawn_members)};
