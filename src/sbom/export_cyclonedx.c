/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CycloneDX 1.6, JSON. A vulnerability is written once for each severity and fixed version that it
 * has in this image: the format knows one severity a vulnerability, and no fixed version at all,
 * which is a property, and a sentence for people and other tools.
 */
#include "sbom/exporting.h"

/* A claim with what the image's sources say of it together. */
struct merged {
    struct slice id;
    uint32_t rank;   /* of its package */
    uint32_t number; /* of the first one: order of the sources */
    enum severity severity;
    struct slice fixed_version;
};

static const char *severity_word(enum severity severity)
{
    return severity == SEVERITY_NEGLIGIBLE ? "info" : words_name(&severity_words, (int)severity);
}

static void put_property(void *ctx, const char *name, struct slice value)
{
    struct json_writer *w = ctx;

    json_write_begin_object(w);
    json_write_member(w, "name", slice_of(name));
    json_write_member(w, "value", value);
    json_write_end_object(w);
}

static void put_ref(struct json_writer *w, const char *key, uint32_t rank)
{
    char text[32];

    snprintf(text, sizeof(text), "package:%u", rank + 1);
    json_write_member(w, key, slice_of(text));
}

/* ---- metadata ---- */

static void write_tool(struct json_writer *w, const struct sbom_image *image)
{
    json_write_key(w, "tools");
    json_write_begin_object(w);
    json_write_key(w, "components");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_member(w, "type", SLICE("application"));
    json_write_member(w, "name", SLICE("careen"));
    json_write_member(w, "version", slice_of(image->tool_version));
    json_write_end_object(w);
    json_write_end_array(w);
    json_write_end_object(w);
}

static void write_metadata(struct json_writer *w, struct exporting *exporting)
{
    const struct sbom_image *image = exporting->image;
    char time[EXPORT_TIME_BYTES];

    json_write_key(w, "metadata");
    json_write_begin_object(w);
    json_write_member(w, "timestamp", slice_of(exporting_time(image, time)));
    write_tool(w, image);
    json_write_key(w, "component");
    json_write_begin_object(w);
    json_write_member(w, "type", SLICE("container"));
    json_write_member(w, "bom-ref", SLICE("image"));
    json_write_member(w, "name", image->name);
    json_write_member_if(w, "version", image->tag);
    json_write_member_if(w, "purl", exporting_image_purl(exporting));
    json_write_key(w, "properties");
    json_write_begin_array(w);
    exporting_image_facts(image, put_property, w);
    json_write_end_array(w);
    json_write_end_object(w);
    json_write_end_object(w);
}

/* ---- components ---- */

static void write_system(struct json_writer *w, struct slice os_release)
{
    struct slice name, version;

    if (os_release.len == 0)
        return;
    exporting_system(os_release, &name, &version);
    json_write_begin_object(w);
    json_write_member(w, "type", SLICE("operating-system"));
    json_write_member(w, "bom-ref", SLICE("os"));
    json_write_member(w, "name", name);
    json_write_member_if(w, "version", version);
    json_write_end_object(w);
}

/* Databases word licences as they like: what is not sure to be of SPDX's list is a name. */
static void write_licence(struct json_writer *w, struct slice licence)
{
    if (licence.len == 0)
        return;
    json_write_key(w, "licenses");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_key(w, "license");
    json_write_begin_object(w);
    json_write_member(w, "name", licence);
    json_write_end_object(w);
    json_write_end_object(w);
    json_write_end_array(w);
}

static void begin_properties(struct json_writer *w, bool *any)
{
    if (!*any) {
        json_write_key(w, "properties");
        json_write_begin_array(w);
    }
    *any = true;
}

static void write_properties(struct json_writer *w, struct exported *exported)
{
    bool any = false;

    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT; i++) {
        char name[64];

        if (!exported->differs[i])
            continue;
        begin_properties(w, &any);
        snprintf(name, sizeof(name), CAREEN_PREFIX "%s", package_field_name(i));
        put_property(w, name, *package_field(&exported->package, i));
    }
    if (exported->beside.layer.len) {
        begin_properties(w, &any);
        put_property(w, CAREEN_PREFIX "layer", exported->beside.layer);
    }
    if (any)
        json_write_end_array(w);
}

static int write_components(struct json_writer *w, struct exporting *exporting, struct err *err)
{
    json_write_key(w, "components");
    json_write_begin_array(w);
    write_system(w, exporting->image->os_release);
    for (size_t rank = 0; rank < exporting->image->package_count; rank++) {
        struct exported exported;

        if (exporting_package(exporting, rank, &exported, err) < 0)
            return -1;
        json_write_begin_object(w);
        json_write_member(w, "type", SLICE("library"));
        put_ref(w, "bom-ref", (uint32_t)rank);
        json_write_member(w, "name", exported.package.name);
        json_write_member_if(w, "version", exported.package.version);
        write_licence(w, exported.beside.licence);
        json_write_member_if(w, "purl", exported.purl);
        write_properties(w, &exported);
        json_write_end_object(w);
    }
    json_write_end_array(w);
    return 0;
}

/* For other readers: ours has a property of the image. */
static void write_composition(struct json_writer *w)
{
    json_write_key(w, "compositions");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_member(w, "aggregate", SLICE("incomplete"));
    json_write_key(w, "assemblies");
    json_write_begin_array(w);
    json_write_string(w, SLICE("image"));
    json_write_end_array(w);
    json_write_end_object(w);
    json_write_end_array(w);
}

/* ---- vulnerabilities ---- */

static int compare_subjects(const void *a, const void *b)
{
    const struct merged *left = a, *right = b;
    int order = slice_cmp(left->id, right->id);

    if (order == 0)
        order = (left->rank > right->rank) - (left->rank < right->rank);
    return order ? order : (left->number > right->number) - (left->number < right->number);
}

static int compare_groups(const void *a, const void *b)
{
    const struct merged *left = a, *right = b;
    int order = slice_cmp(left->id, right->id);

    if (order == 0)
        order = (int)right->severity - (int)left->severity;
    if (order == 0)
        order = slice_cmp(left->fixed_version, right->fixed_version);
    return order ? order : (left->rank > right->rank) - (left->rank < right->rank);
}

/* The image's claims, one for each package and vulnerability, in the order to be written. */
static struct merged *merge_claims(
    const struct exporting *exporting, size_t *ret_count, struct err *err)
{
    const struct sbom_image *image = exporting->image;
    struct merged *all = calloc(image->claim_count + 1, sizeof(*all));
    size_t count = 0;

    if (!all) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < image->claim_count; i++)
        all[i] = (struct merged){image->claims[i].id, exporting->ranks[image->claims[i].package],
            (uint32_t)i, image->claims[i].severity, image->claims[i].fixed_version};
    if (image->claim_count)
        qsort(all, image->claim_count, sizeof(*all), compare_subjects);
    for (size_t i = 0; i < image->claim_count; i++) {
        struct merged *last = count ? &all[count - 1] : NULL;

        if (!last || last->rank != all[i].rank || !slice_eq(last->id, all[i].id)) {
            all[count++] = all[i];
            continue;
        }
        if (last->severity < all[i].severity)
            last->severity = all[i].severity;
        if (last->fixed_version.len == 0)
            last->fixed_version = all[i].fixed_version;
    }
    if (count)
        qsort(all, count, sizeof(*all), compare_groups);
    *ret_count = count;
    return all;
}

static bool same_group(const struct merged *a, const struct merged *b)
{
    return slice_eq(a->id, b->id) && a->severity == b->severity &&
           slice_eq(a->fixed_version, b->fixed_version);
}

static const struct package *package_of(const struct exporting *exporting, uint32_t rank)
{
    return &exporting->image->packages[exporting->order[rank]];
}

/* Trivy's words: "Upgrade NAME to version VERSION; Upgrade ..." */
static void write_advice(struct json_writer *w, const struct exporting *exporting,
    const struct merged *group, size_t count)
{
    struct buf text = BUF_INIT(1024 * 1024);
    struct slice last = SLICE_NONE;

    for (size_t i = 0; i < count; i++) {
        struct slice name = package_of(exporting, group[i].rank)->name;

        if (!slice_eq(name, last))
            buf_printf(&text, "%sUpgrade %.*s to version %.*s", text.len ? "; " : "",
                SLICE_FMT(name), SLICE_FMT(group[i].fixed_version));
        last = name;
    }
    json_write_member(w, "recommendation", buf_slice(&text));
    if (text.failed && !w->out->failed)
        w->out->failed = text.failed;
    buf_release(&text);
    json_write_key(w, "properties");
    json_write_begin_array(w);
    put_property(w, CAREEN_PREFIX "fixed_version", group->fixed_version);
    json_write_end_array(w);
}

static void write_affects(struct json_writer *w, const struct exporting *exporting,
    const struct merged *group, size_t count)
{
    json_write_key(w, "affects");
    json_write_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        struct slice version = package_of(exporting, group[i].rank)->version;

        json_write_begin_object(w);
        put_ref(w, "ref", group[i].rank);
        if (version.len) {
            json_write_key(w, "versions");
            json_write_begin_array(w);
            json_write_begin_object(w);
            json_write_member(w, "version", version);
            json_write_member(w, "status", SLICE("affected"));
            json_write_end_object(w);
            json_write_end_array(w);
        }
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_references(struct json_writer *w, const struct slice *names, size_t count)
{
    if (count == 0)
        return;
    json_write_key(w, "references");
    json_write_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        json_write_begin_object(w);
        json_write_member(w, "id", names[i]);
        json_write_key(w, "source");
        json_write_begin_object(w);
        json_write_end_object(w);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_vulnerability(struct json_writer *w, const struct exporting *exporting,
    const struct merged *group, size_t count, const struct slice *related, size_t related_count)
{
    json_write_begin_object(w);
    json_write_member(w, "id", group->id);
    write_references(w, related, related_count);
    json_write_key(w, "ratings");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_member(w, "severity", slice_of(severity_word(group->severity)));
    json_write_end_object(w);
    json_write_end_array(w);
    write_affects(w, exporting, group, count);
    if (group->fixed_version.len)
        write_advice(w, exporting, group, count);
    json_write_end_object(w);
}

/* ---- other names of a vulnerability ---- */

struct relation {
    struct slice id, name;
};

static int compare_relations(const void *a, const void *b)
{
    const struct relation *left = a, *right = b;
    int order = slice_cmp(left->id, right->id);

    return order ? order : slice_cmp(left->name, right->name);
}

/* The names that all claims together relate to each id: in order, each once. */
static struct relation *collect_relations(
    const struct sbom_image *image, size_t *ret_count, struct err *err)
{
    struct relation *all;
    size_t total = 0, count = 0, used = 0;

    for (size_t i = 0; i < image->claim_count; i++)
        total += image->claims[i].related_count;
    all = calloc(total + 1, sizeof(*all));
    if (!all) {
        err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < image->claim_count; i++)
        for (size_t k = 0; k < image->claims[i].related_count; k++)
            all[used++] = (struct relation){image->claims[i].id, image->claims[i].related[k]};
    if (used)
        qsort(all, used, sizeof(*all), compare_relations);
    for (size_t i = 0; i < used; i++)
        if (count == 0 || compare_relations(&all[count - 1], &all[i]) != 0)
            all[count++] = all[i];
    *ret_count = count;
    return all;
}

static void write_groups(struct json_writer *w, const struct exporting *exporting,
    const struct merged *claims, size_t count, const struct relation *relations,
    size_t relation_count, struct slice *names)
{
    size_t at = 0, end;

    for (size_t i = 0; i < count; i = end) {
        size_t related = 0;

        for (end = i + 1; end < count && same_group(&claims[i], &claims[end]);)
            end++;
        while (at < relation_count && slice_cmp(relations[at].id, claims[i].id) < 0)
            at++;
        while (
            at + related < relation_count && slice_eq(relations[at + related].id, claims[i].id)) {
            names[related] = relations[at + related].name;
            related++;
        }
        write_vulnerability(w, exporting, &claims[i], end - i, names, related);
    }
}

static int write_vulnerabilities(
    struct json_writer *w, struct exporting *exporting, struct err *err)
{
    size_t count = 0, relation_count = 0;
    struct merged *claims = merge_claims(exporting, &count, err);
    struct relation *relations = collect_relations(exporting->image, &relation_count, err);
    struct slice *names = calloc(relation_count + 1, sizeof(*names));
    int failed = claims && relations && names ? 0 : err_nomem(err);

    if (!failed && count) {
        json_write_key(w, "vulnerabilities");
        json_write_begin_array(w);
        write_groups(w, exporting, claims, count, relations, relation_count, names);
        json_write_end_array(w);
    }
    free(claims);
    free(relations);
    free(names);
    return failed;
}

/* ---- the document ---- */

static int write_document(struct exporting *exporting, struct buf *out, struct err *err)
{
    char uuid[UUID_TEXT_BYTES], serial[UUID_TEXT_BYTES + 16];
    struct json_writer w;

    exporting_uuid(exporting->image, uuid);
    snprintf(serial, sizeof(serial), "urn:uuid:%s", uuid);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "$schema", SLICE("http://cyclonedx.org/schema/bom-1.6.schema.json"));
    json_write_member(&w, "bomFormat", SLICE("CycloneDX"));
    json_write_member(&w, "specVersion", SLICE("1.6"));
    json_write_member(&w, "serialNumber", slice_of(serial));
    json_write_key(&w, "version");
    json_write_i64(&w, 1);
    write_metadata(&w, exporting);
    if (write_components(&w, exporting, err) < 0)
        return -1;
    if (!exporting->image->complete)
        write_composition(&w);
    if (write_vulnerabilities(&w, exporting, err) < 0)
        return -1;
    json_write_end_object(&w);
    buf_put_char(out, '\n');
    return buf_check(out, "the SBOM", err);
}

int sbom_write_cyclonedx(const struct sbom_image *image, struct buf *out, struct err *err)
{
    struct exporting exporting;
    int failed = exporting_init(&exporting, image, err);

    if (!failed)
        failed = write_document(&exporting, out, err);
    exporting_release(&exporting);
    return failed;
}
