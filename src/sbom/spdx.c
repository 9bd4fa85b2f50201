/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SPDX 2.2 and 2.3, JSON; later 2.x versions are read for what they have in common with 2.3.
 *
 * The document is about the one package that it describes (DESCRIBES, documentDescribes), or, if it
 * does not say, about the one that is a container; where it describes several, about none of them.
 * That one is an image by its purpose, its purl or, in 2.2, its id as Syft and Trivy make them. It
 * is no package of its own, unless it has a purl that is no image's. Every other package is one if
 * it has a purl, or if it is software by its purpose or has none: `generic` then. An operating
 * system is the release. What is left are files, sources, archives and lock files.
 *
 * SPDX 2 knows no vulnerabilities.
 */
#include "base/array.h"
#include "base/limits.h"
#include "sbom/component.h"

/* A package that is one only if the document is not about it. */
struct candidate {
    uint64_t id; /* component_ref_hash() of its SPDXID */
    bool is_image, is_container, is_package;
    struct component *component; /* of an image; arena */
    struct package package;      /* if is_package */
    struct slice name;
};

enum { MAX_CANDIDATES = 2 * LIMIT_IMAGE_PACKAGES, MAX_DESCRIBED = 64 };

struct spdx {
    struct slice version;
    bool has_system;
    struct component system;
    struct candidate *candidates; /* heap */
    size_t candidate_count, candidate_cap;
    uint64_t described[MAX_DESCRIBED];
    size_t described_count;
};

/* One package while it is read. */
struct listed {
    struct component component;
    struct slice id, purpose;
};

static void spdx_release(void *state)
{
    free(((struct spdx *)state)->candidates);
}

/* ---- a package's members ---- */

static void read_external_ref(struct reading *in, struct component *component)
{
    struct slice key, text, locator = SLICE_NONE;
    bool has_type = false, is_purl = false;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "referenceType") && json_peek_string(in->json, &text)) {
            has_type = true;
            is_purl = slice_is(text, "purl");
        } else if (slice_is(key, "referenceLocator") && is_purl) {
            if (json_peek_string(in->json, &text) && text.len)
                component_take_purl(in, component, text);
        } else if (slice_is(key, "referenceLocator") && !has_type) {
            read_text(in, &locator); /* the type comes behind it */
        } else if (!slice_is(key, "referenceType")) {
            json_skip(in->json);
        }
    }
    if (is_purl && locator.len && !json_failed(in->json))
        component_take_purl(in, component, locator);
}

/* Trivy's "RepoTag: alpine:3.19", Careen's "careen:module=nodejs:18". */
static void take_note(struct reading *in, struct component *component, struct slice note)
{
    bool is_careen = slice_starts_with(note, CAREEN_PREFIX);
    size_t cut = slice_find_char(note, is_careen ? '=' : ':');
    struct slice value;
    char name[64];
    int n;

    n = snprintf(name, sizeof(name), "%s%.*s",
        is_careen ? "" : "aquasecurity:trivy:", SLICE_FMT(slice_sub(note, 0, cut)));
    if (cut == note.len || n < 0 || (size_t)n >= sizeof(name) || !is_known_property(slice_of(name)))
        return;
    value = slice_skip(note, cut + 1);
    if (!is_careen)
        value = slice_trim(value);
    if (add_text(in, value, &value))
        component_take_property(in, component, slice_of(name), value);
}

static void read_note(struct reading *in, struct component *component)
{
    struct slice text;

    if (json_peek_string(in->json, &text))
        take_note(in, component, text);
}

static void read_annotation(struct reading *in, struct component *component)
{
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "comment"))
            read_note(in, component);
        else
            json_skip(in->json);
    }
}

/* Trivy's "built package from: glibc 2.31-13" */
static void read_source_info(struct reading *in, struct component *component)
{
    static const char start[] = "built package from: ";
    struct slice text;
    size_t cut;

    if (!json_peek_string(in->json, &text) || !slice_starts_with(text, start))
        return;
    text = slice_skip(text, strlen(start));
    cut = slice_rfind_char(text, ' ');
    if (!add_text(in, text, &text))
        return;
    component->source_name = slice_sub(text, 0, cut);
    component->source_version = slice_skip(text, cut + 1);
}

static void read_version(struct reading *in, struct component *component)
{
    if (read_text(in, &component->version) &&
        (slice_is(component->version, "NOASSERTION") || slice_is(component->version, "NONE")))
        component->version = SLICE_NONE;
}

static void read_array(struct reading *in, struct component *component,
    void (*read_element)(struct reading *in, struct component *component))
{
    json_begin_array(in->json);
    while (json_next_element(in->json))
        read_element(in, component);
}

static void read_listed(struct reading *in, struct listed *listed)
{
    struct component *component = &listed->component;
    struct slice key;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "SPDXID"))
            read_text(in, &listed->id);
        else if (slice_is(key, "name"))
            read_text(in, &component->name);
        else if (slice_is(key, "versionInfo"))
            read_version(in, component);
        else if (slice_is(key, "primaryPackagePurpose"))
            read_text(in, &listed->purpose);
        else if (slice_is(key, "externalRefs"))
            read_array(in, component, read_external_ref);
        else if (slice_is(key, "annotations"))
            read_array(in, component, read_annotation);
        else if (slice_is(key, "attributionTexts"))
            read_array(in, component, read_note);
        else if (slice_is(key, "sourceInfo"))
            read_source_info(in, component);
        else
            json_skip(in->json);
    }
}

/* ---- packages ---- */

static bool is_system(const struct listed *listed)
{
    return slice_is(listed->purpose, "OPERATING-SYSTEM") ||
           slice_is(listed->purpose, "OPERATING_SYSTEM") ||
           slice_starts_with(listed->id, "SPDXRef-OperatingSystem-");
}

static bool is_image(const struct listed *listed)
{
    return slice_is(listed->purpose, "CONTAINER") || listed->component.image_name.len ||
           slice_starts_with(listed->id, "SPDXRef-ContainerImage-") ||
           slice_starts_with(listed->id, "SPDXRef-DocumentRoot-Image-");
}

static bool is_software(const struct listed *listed)
{
    static const char *const purposes[] = {
        "APPLICATION", "FRAMEWORK", "LIBRARY", "FIRMWARE", "INSTALL"};
    bool known = listed->purpose.len == 0;

    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
        known |= slice_is(listed->purpose, purposes[i]);
    return known && !slice_starts_with(listed->id, "SPDXRef-Application-") &&
           !slice_starts_with(listed->id, "SPDXRef-ContainerImage-");
}

static int keep_candidate(struct reading *in, struct spdx *spdx, const struct listed *listed,
    const struct package *package, struct err *err)
{
    struct candidate candidate = {.id = component_ref_hash(listed->id),
        .is_image = is_image(listed),
        .is_container = slice_is(listed->purpose, "CONTAINER"),
        .is_package = listed->component.has_purl || (is_software(listed) && !is_system(listed)),
        .package = *package,
        .name = listed->component.name};

    if (spdx->candidate_count >= MAX_CANDIDATES)
        return err_set(err, ERR_LIMIT,
            "the report holds more than %d packages (twice LIMIT_IMAGE_PACKAGES)", MAX_CANDIDATES);
    if (candidate.is_image) {
        candidate.component = arena_alloc(&in->report->arena, sizeof(struct component), err);
        if (!candidate.component)
            return -1;
        *candidate.component = listed->component;
    }
    if (array_reserve(&spdx->candidates, &spdx->candidate_cap, spdx->candidate_count + 1,
            sizeof(*spdx->candidates), err) < 0)
        return -1;
    spdx->candidates[spdx->candidate_count++] = candidate;
    return 0;
}

static void end_listed(struct reading *in, struct spdx *spdx, const struct listed *listed)
{
    struct package package;
    struct err err;
    uint32_t id;
    int failed;

    if (is_system(listed)) {
        if (!spdx->has_system)
            spdx->system = listed->component;
        spdx->has_system = true;
    }
    if (!component_to_package(in, &listed->component, &package))
        return;
    if (listed->component.has_purl && !is_image(listed))
        failed = report_add_package(in->report, &package, &id, &err);
    else
        failed = keep_candidate(in, spdx, listed, &package, &err);
    if (failed)
        fail_reading(in, &err);
}

/* ---- the top level ---- */

static void read_packages(struct reading *in, void *state)
{
    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        struct listed listed = {0};

        if (json_peek(in->json) == JSON_NULL && json_skip(in->json))
            continue;
        component_init(&listed.component);
        read_listed(in, &listed);
        if (!json_failed(in->json))
            end_listed(in, state, &listed);
    }
}

static void add_described(struct spdx *spdx, uint64_t id)
{
    for (size_t i = 0; i < spdx->described_count; i++)
        if (spdx->described[i] == id)
            return;
    if (spdx->described_count < MAX_DESCRIBED)
        spdx->described[spdx->described_count++] = id;
}

static void read_described(struct reading *in, void *state)
{
    struct slice id;

    json_begin_array(in->json);
    while (json_next_element(in->json))
        if (json_peek_string(in->json, &id))
            add_described(state, component_ref_hash(id));
}

static void read_hash(struct reading *in, uint64_t *ret)
{
    struct slice text;

    if (json_peek_string(in->json, &text))
        *ret = component_ref_hash(text);
}

static void read_relationships(struct reading *in, void *state)
{
    uint64_t document = component_ref_hash(SLICE("SPDXRef-DOCUMENT"));
    struct slice key, text;

    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        uint64_t from = 0, to = 0;
        bool describes = false, described_by = false;

        json_begin_object(in->json);
        while (json_next_key(in->json, &key)) {
            if (slice_is(key, "spdxElementId"))
                read_hash(in, &from);
            else if (slice_is(key, "relatedSpdxElement"))
                read_hash(in, &to);
            else if (!slice_is(key, "relationshipType"))
                json_skip(in->json);
            else if (json_peek_string(in->json, &text)) {
                describes = slice_is(text, "DESCRIBES");
                described_by = slice_is(text, "DESCRIBED_BY");
            }
        }
        if (describes && from == document)
            add_described(state, to);
        else if (described_by && to == document)
            add_described(state, from);
    }
}

static void read_spdx_version(struct reading *in, void *state)
{
    read_text(in, &((struct spdx *)state)->version);
}

static void skip_value(struct reading *in, void *state)
{
    (void)state;
    json_skip(in->json);
}

/* "SPDX-2.2", "SPDX-2.3", and what comes behind them */
static int check_version(struct slice version, struct err *err)
{
    struct slice minor = slice_skip(version, strlen("SPDX-2."));
    uint64_t number = 0;

    if (version.len == 0)
        return err_set(err, ERR_INVALID,
            "this is an SPDX document without its spdxVersion: 2.2 and 2.3 are read");
    if (slice_starts_with(version, "SPDX-2.") && slice_to_u64(minor, &number) && number >= 2)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
        "this is an SPDX document of version %.*s: SPDX-2.2 and SPDX-2.3 are read, as JSON",
        SLICE_FMT(slice_sub(version, 0, 60)));
}

static bool is_described(const struct spdx *spdx, uint64_t id)
{
    for (size_t i = 0; i < spdx->described_count; i++)
        if (spdx->described[i] == id)
            return true;
    return false;
}

/* The one candidate that the document is about; NULL when there is none, or several. */
static const struct candidate *find_root(const struct spdx *spdx)
{
    const struct candidate *root = NULL;

    for (size_t i = 0; i < spdx->candidate_count; i++) {
        const struct candidate *candidate = &spdx->candidates[i];
        bool is_root =
            spdx->described_count ? is_described(spdx, candidate->id) : candidate->is_container;

        if (is_root && root)
            return NULL;
        if (is_root)
            root = candidate;
    }
    return root;
}

static int add_candidates(
    struct spdx *spdx, const struct candidate *root, struct report *report, struct err *err)
{
    for (size_t i = 0; i < spdx->candidate_count; i++) {
        const struct candidate *candidate = &spdx->candidates[i];
        uint32_t id;

        if (candidate != root && candidate->is_package &&
            report_add_package(report, &candidate->package, &id, err) < 0)
            return -1;
    }
    return 0;
}

static int spdx_finish(struct reading *in, void *state, struct err *err)
{
    struct spdx *spdx = state;
    struct report *report = in->report;
    struct component nothing;
    struct component *about = &nothing;
    const struct candidate *root;

    if (check_version(spdx->version, err) < 0)
        return -1;
    component_init(&nothing);
    root = find_root(spdx);
    report->is_image = root && root->is_image;
    if (root) {
        nothing.name = root->name;
        about = root->component ? root->component : about;
    }
    if (add_candidates(spdx, root, report, err) < 0 || component_identify(about, report, err) < 0)
        return -1;
    report->complete = component_tells_all(about, report);
    return component_set_release(in, about, &spdx->system, err);
}

static const struct format_key keys[] = {
    {"spdxVersion", true, JSON_STRING, read_spdx_version},
    {"SPDXID", true, JSON_STRING, skip_value},
    {"packages", false, JSON_ARRAY, read_packages},
    {"documentDescribes", false, JSON_ARRAY, read_described},
    {"relationships", false, JSON_ARRAY, read_relationships},
};

const struct report_format spdx_format = {
    .name = "spdx",
    .title = "SPDX document",
    .source = SOURCE_SBOM,
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(*keys),
    .state_bytes = sizeof(struct spdx),
    .finish = spdx_finish,
    .release = spdx_release,
};
