/* SPDX-License-Identifier: Apache-2.0 */
/* See decision_body.h. What belongs together is the fleet's to say, as for the command line; here
 * are the types and lengths, and that a scope has what it names. */
#include "api/decision_body.h"

#include "base/limits.h"

/* The end of the year 9999. */
#define LAST_MS INT64_C(253402300799999)

#define AT(member) offsetof(struct decision_body, member)

static const struct field fields[] = {
    {.name = "action",
        .help = "what is decided",
        .kind = VALUE_WORD,
        .required = true,
        .offset = AT(action),
        .words = &decision_action_words},
    {.name = "vul_ids",
        .help = "the vulnerabilities, each by any of its names; known ones or not",
        .kind = VALUE_IDS,
        .offset = AT(vul_ids),
        .max_ids = LIMIT_DECISION_VULNS},
    {.name = "all_vuls",
        .help = "instead: every vulnerability that has a row within the scope now",
        .kind = VALUE_FLAG,
        .offset = AT(all_vuls)},
    {.name = "package",
        .help = "in this package alone; instead of vulnerabilities: whatever it has",
        .kind = VALUE_TEXT,
        .offset = AT(package),
        .max_chars = LIMIT_NAME_CHARS},
    {.name = "type",
        .help = "of OS packages or of all others alone",
        .kind = VALUE_WORD,
        .offset = AT(type),
        .words = &vul_type_words},
    {.name = "handle_status",
        .help = "with all_vuls or image_ids: only rows that are not, or are, handled now",
        .kind = VALUE_WORD,
        .offset = AT(handled),
        .words = &handle_status_words},
    {.name = "scope",
        .help = "where it holds, for images that come later, too; project if not given",
        .kind = VALUE_WORD,
        .offset = AT(scope),
        .words = &decision_scope_words},
    {.name = "place",
        .help = "with the scope registry: its name; repository: its name without tag; cluster: its "
                "id",
        .kind = VALUE_TEXT,
        .offset = AT(place),
        .max_chars = LIMIT_IMAGE_NAME_CHARS},
    {.name = "image_ids",
        .help = "with the scope images",
        .kind = VALUE_IDS,
        .offset = AT(image_ids),
        .max_ids = LIMIT_DECISION_IMAGES},
    {.name = "image_type",
        .help = "of the scope, only images that live there",
        .kind = VALUE_WORD,
        .offset = AT(image_type),
        .words = &image_type_words,
        .rows = &image_type_rows},
    {.name = "reason",
        .help = "why",
        .kind = VALUE_TEXT,
        .offset = AT(reason),
        .max_chars = LIMIT_REMARK_CHARS},
    {.name = "expires_ms",
        .help = "when it ends, in epoch milliseconds; never if not given",
        .kind = VALUE_NUMBER,
        .offset = AT(expires_ms),
        .low = 1,
        .high = LAST_MS},
    {.name = "dry_run",
        .help = "only say what it would change",
        .kind = VALUE_FLAG,
        .offset = AT(dry_run)},
};

const struct fields decision_fields = {FIELDS(fields), true};

static int check_scope(const struct decision_body *body, struct err *err)
{
    bool images = body->scope == DECISION_IMAGES;
    bool place = !images && body->scope != DECISION_PROJECT;
    const char *scope = words_name(&decision_scope_words, body->scope);

    if (images != (body->image_ids.count > 0))
        return err_set(err, ERR_INVALID, "image_ids: must %sbe given with the scope %s",
            images ? "" : "not ", scope);
    if (place != (body->place.len > 0))
        return err_set(err, ERR_INVALID, "place: must %sbe given with the scope %s",
            place ? "" : "not ", scope);
    return 0;
}

static int check_selector(const struct decision_body *body, struct err *err)
{
    if (body->all_vuls && body->vul_ids.count)
        return err_set(err, ERR_INVALID, "vul_ids: must not be given with all_vuls");
    if (!body->all_vuls && !body->vul_ids.count && !body->package.len)
        return err_set(
            err, ERR_INVALID, "vul_ids: must be given, or package or all_vuls instead of it");
    return 0;
}

int decision_body_read(
    struct stream *body, struct arena *arena, struct decision_body *ret, struct err *err)
{
    struct decision_body read = {
        .scope = DECISION_PROJECT, .type = -1, .image_type = -1, .handled = -1};
    uint32_t given;

    if (fields_from_json(&decision_fields, body, arena, &read, &given, err) < 0 ||
        check_scope(&read, err) < 0 || check_selector(&read, err) < 0)
        return -1;
    *ret = read;
    return 0;
}

struct decision_request decision_body_request(const struct decision_body *body)
{
    return (struct decision_request){.action = (enum decision_action)body->action,
        .vuls = body->vul_ids.at,
        .vul_count = body->vul_ids.count,
        .all_vuls = body->all_vuls,
        .handled = body->handled,
        .type = body->type,
        .package = body->package,
        .scope = (enum decision_scope)body->scope,
        .place = body->place,
        .image_ids = body->image_ids.at,
        .image_count = body->image_ids.count,
        .image_type = body->image_type};
}
