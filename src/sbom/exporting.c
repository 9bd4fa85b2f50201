/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losslessness by construction: each package's purl is built, read as a reader would read it, and
 * compared field by field with the package; what differs is written beside it.
 */
#include "sbom/exporting.h"

#include "base/clock.h"
#include "sbom/package_purl.h"

enum { SCRATCH_BYTES = 4 * 1024 * 1024 }; /* the scratch report is begun anew behind that */

/* ---- order ---- */

static int compare_packages(const struct package *a, const struct package *b)
{
    struct package left = *a, right = *b;
    int order = slice_cmp(a->name, b->name);

    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT && order == 0; i++)
        order = slice_cmp(*package_field(&left, i), *package_field(&right, i));
    return order;
}

static int compare_places(const void *a, const void *b, void *packages)
{
    const struct package *at = packages;

    return compare_packages(&at[*(const uint32_t *)a], &at[*(const uint32_t *)b]);
}

int exporting_init(struct exporting *exporting, const struct sbom_image *image, struct err *err)
{
    size_t count = image->package_count;

    *exporting = (struct exporting){.image = image, .purl = BUF_INIT(PURL_MAX_BYTES)};
    report_init(&exporting->scratch);
    exporting->order = calloc(count + 1, sizeof(uint32_t));
    exporting->ranks = calloc(count + 1, sizeof(uint32_t));
    if (!exporting->order || !exporting->ranks)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        exporting->order[i] = (uint32_t)i;
    if (count)
        qsort_r(exporting->order, count, sizeof(uint32_t), compare_places,
            (void *)(uintptr_t)image->packages);
    for (size_t i = 0; i < count; i++)
        exporting->ranks[exporting->order[i]] = (uint32_t)i;
    return 0;
}

void exporting_release(struct exporting *exporting)
{
    free(exporting->order);
    free(exporting->ranks);
    report_release(&exporting->scratch);
    buf_release(&exporting->purl);
}

/* ---- packages ---- */

/* SPDX's words for "not told": no reader takes them for a version. */
static bool is_no_version(struct slice version)
{
    return slice_is(version, "NOASSERTION") || slice_is(version, "NONE");
}

/* What a reader makes of the purl (if there is one), the name and the version. */
static int read_back(struct exporting *exporting, const struct package *package, struct slice purl,
    struct package *ret, struct err *err)
{
    struct report *scratch = &exporting->scratch;
    struct package read = {.ecosystem = SLICE("generic"), .name = package->name};
    struct slice version = is_no_version(package->version) ? SLICE_NONE : package->version;
    struct purl parsed;

    if (scratch->arena.used_bytes > SCRATCH_BYTES)
        report_release(scratch);
    if (purl.len && (purl_parse(purl, PURL_LENIENT, &parsed, err) < 0 ||
                        package_from_purl(scratch, &parsed, &read, err) < 0))
        return -1;
    if (version_compose(scratch, 0, read.version.len ? read.version : version, SLICE_NONE,
            &read.version, err) < 0)
        return -1;
    package_tidy(&read);
    if (package_vul_type(read.ecosystem) == VUL_LINUX)
        read.release = exporting->image->os_release;
    *ret = read;
    return 0;
}

int exporting_package(
    struct exporting *exporting, size_t rank, struct exported *ret, struct err *err)
{
    struct exported exported = {.package = exporting->image->packages[exporting->order[rank]]};
    struct package read;
    struct err ignored;

    if (exporting->image->beside)
        exported.beside = exporting->image->beside[exporting->order[rank]];
    buf_clear(&exporting->purl);
    if (package_to_purl(
            &exported.package, exporting->image->os_release, &exporting->purl, &ignored) < 0)
        buf_clear(&exporting->purl);
    exported.purl = buf_slice(&exporting->purl);
    if (read_back(exporting, &exported.package, exported.purl, &read, err) < 0)
        return -1;
    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT; i++)
        exported.differs[i] =
            !slice_eq(*package_field(&exported.package, i), *package_field(&read, i));
    *ret = exported;
    return 0;
}

/* ---- the image ---- */

struct slice exporting_image_purl(struct exporting *exporting)
{
    const struct sbom_image *image = exporting->image;
    struct err ignored;

    buf_clear(&exporting->purl);
    if (image_to_purl(image->name, image->tag, image->digest, image->architecture, &exporting->purl,
            &ignored) < 0)
        buf_clear(&exporting->purl);
    return buf_slice(&exporting->purl);
}

void exporting_image_facts(const struct sbom_image *image, fact_fn put, void *ctx)
{
    struct buf size = BUF_INIT(32);

    if (image->architecture.len)
        put(ctx, CAREEN_PREFIX "architecture", image->architecture);
    if (!image->complete)
        put(ctx, CAREEN_PREFIX "complete", SLICE("false"));
    else if (image->scanned && image->package_count == 0)
        put(ctx, CAREEN_PREFIX "complete", SLICE("true"));
    if (image->config_digest.len)
        put(ctx, CAREEN_PREFIX "config_digest", image->config_digest);
    if (image->digest.len)
        put(ctx, CAREEN_PREFIX "digest", image->digest);
    put(ctx, CAREEN_PREFIX "release", image->os_release);
    if (image->size_bytes >= 0) {
        buf_put_i64(&size, image->size_bytes);
        put(ctx, CAREEN_PREFIX "size_bytes", buf_slice(&size));
    }
    buf_release(&size);
    if (image->scanned)
        put(ctx, CAREEN_PREFIX "source", slice_of(words_name(&source_words, SOURCE_CAREEN)));
}

void exporting_system(struct slice os_release, struct slice *ret_name, struct slice *ret_version)
{
    size_t cut = release_family(os_release).len;

    *ret_name = slice_sub(os_release, 0, cut);
    *ret_version = slice_skip(os_release, cut + 1);
}

void exporting_uuid(const struct sbom_image *image, char ret[UUID_TEXT_BYTES])
{
    char name[100];
    int n = snprintf(name, sizeof(name), "sbom %s %lld", image->id, (long long)image->scanned_ms);

    uuid5((struct slice){name, (size_t)n}, ret);
}

char *exporting_time(const struct sbom_image *image, char dst[EXPORT_TIME_BYTES])
{
    char text[CLOCK_TEXT_BYTES];

    clock_format(image->scanned_ms, text);
    snprintf(dst, EXPORT_TIME_BYTES, "%.19sZ", text);
    return dst;
}
