/* SPDX-License-Identifier: Apache-2.0 */
/* Placements as given from outside, and the image row that a report and a placement make together.
 */
#include "base/limits.h"
#include "base/utf8.h"
#include "fleet/internal.h"
#include "model/reference.h"

struct placement placement_default(void)
{
    return (struct placement){
        .enterprise_project = SLICE("0"), .type = IMAGE_LOCAL, .containers = -1, .multi_arch = -1};
}

static int check_text(const char *field, struct slice value, size_t max_chars, struct err *err)
{
    if (!utf8_is_line(value))
        return err_set(
            err, ERR_INVALID, "%s: must be UTF-8 text without control characters", field);
    if (utf8_count(value) > max_chars)
        return err_set(err, ERR_INVALID, "%s: must be at most %zu characters, not %zu", field,
            max_chars, utf8_count(value));
    return 0;
}

static int check_registry_type(struct slice value, struct err *err)
{
    char list[128];

    if (value.len == 0 || words_find(&registry_type_words, value) >= 0)
        return 0;
    return err_set(err, ERR_INVALID, "registry_type: must be %s, not \"%.*s\"",
        words_list(&registry_type_words, list, sizeof(list)), SLICE_FMT(value));
}

int placement_check(const struct placement *place, struct err *err)
{
    const struct {
        const char *field;
        struct slice value;
        size_t max_chars;
    } texts[] = {
        {"enterprise_project_id", place->enterprise_project, LIMIT_ID_CHARS},
        {"registry_name", place->registry_name, LIMIT_ID_CHARS},
        {"organization", place->organization, LIMIT_ID_CHARS},
        {"cluster_id", place->cluster_id, LIMIT_CLUSTER_ID_CHARS},
        {"cluster_name", place->cluster_name, LIMIT_ID_CHARS},
        {"agent_id", place->agent_id, LIMIT_CLUSTER_ID_CHARS},
        {"pipeline", place->pipeline, LIMIT_ID_CHARS},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (check_text(texts[i].field, texts[i].value, texts[i].max_chars, err) < 0)
            return -1;
    if (check_registry_type(place->registry_type, err) < 0)
        return -1;
    if (place->enterprise_project.len == 0)
        return err_set(
            err, ERR_INVALID, "enterprise_project_id: must not be empty; the default one is 0");
    if (slice_is(place->enterprise_project, "all_granted_eps"))
        return err_set(
            err, ERR_INVALID, "enterprise_project_id: all_granted_eps means all of them; name one");
    if (place->type == IMAGE_CLUSTER && place->cluster_id.len == 0)
        return err_set(err, ERR_INVALID, "cluster_id: an image of type cluster needs one");
    if (place->containers < -1 || place->containers > LIMIT_CONTAINERS)
        return err_set(err, ERR_INVALID, "containers: must be 0 to %ld, not %lld", LIMIT_CONTAINERS,
            (long long)place->containers);
    return 0;
}

/* The name as asked for, else as the report has it. */
static int choose_name(const struct put_request *request, struct image *image, struct err *err)
{
    const struct report *report = request->report;
    struct reference given = {0};

    if (request->name.len == 0) {
        image->name = report->name;
        image->tag = request->tag.len ? request->tag : report->tag;
    } else {
        if (reference_parse(request->name, &given, err) < 0)
            return err_prefix(err, "name");
        if (given.tag.len && request->tag.len && !slice_eq(given.tag, request->tag))
            return err_set(err, ERR_INVALID,
                "name: it has the tag \"%.*s\", but version says \"%.*s\"", SLICE_FMT(given.tag),
                SLICE_FMT(request->tag));
        image->name = given.name;
        image->tag = request->tag.len ? request->tag : given.tag.len ? given.tag : report->tag;
    }
    if (!report->is_image && request->name.len == 0)
        return err_set(err, ERR_INVALID,
            "the report is of something else than an image: say under which image name it belongs "
            "(name)");
    if (image->name.len == 0)
        return err_set(err, ERR_INVALID, "the report does not name its image: say its name (name)");
    if (check_text("name", image->name, LIMIT_IMAGE_NAME_CHARS, err) < 0)
        return -1;
    return check_text("version", image->tag, LIMIT_ID_CHARS, err);
}

int image_from_request(const struct put_request *request, struct image *ret, struct err *err)
{
    const struct report *report = request->report;
    struct image image = {.place = *request->place,
        .digest = report->digest.len ? report->digest : report->config_digest,
        .config_digest = report->config_digest,
        .os_release = report->os_release,
        .architecture = report->architecture,
        .size_bytes = report->size_bytes};

    if (placement_check(request->place, err) < 0 || choose_name(request, &image, err) < 0)
        return -1;
    *ret = image;
    return 0;
}
