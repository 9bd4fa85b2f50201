/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SPDX 2.3, JSON: the image is the package that the document describes, and contains the others.
 * What has no member stands in annotations ("careen:module=nodejs:18").
 */
#include "sbom/exporting.h"

#include "base/intern.h"

/* Licences by number: what a database says is rarely an expression of SPDX, so each wording is a
 * licence of the document's own, with the wording as its text. */
enum { LICENCE_TEXT_BYTES = 4 * 1024 * 1024 };

struct annotations {
    struct json_writer *w;
    const char *time;
    bool any;
};

static void put_annotation(void *ctx, const char *name, struct slice value)
{
    struct annotations *to = ctx;
    struct buf comment = BUF_INIT(65536);

    if (!to->any) {
        json_write_key(to->w, "annotations");
        json_write_begin_array(to->w);
    }
    to->any = true;
    buf_printf(&comment, "%s=%.*s", name, SLICE_FMT(value));
    json_write_begin_object(to->w);
    json_write_member(to->w, "annotationDate", slice_of(to->time));
    json_write_member(to->w, "annotationType", SLICE("OTHER"));
    json_write_member(to->w, "annotator", SLICE("Tool: careen"));
    json_write_member(to->w, "comment", buf_slice(&comment));
    json_write_end_object(to->w);
    buf_release(&comment);
}

static void end_annotations(struct annotations *annotations)
{
    if (annotations->any)
        json_write_end_array(annotations->w);
}

/* What every package must have, and its version and purl if there are any; stays open. */
static void begin_package(struct json_writer *w, const char *id, struct slice name,
    struct slice version, const char *purpose)
{
    json_write_begin_object(w);
    json_write_member(w, "SPDXID", slice_of(id));
    json_write_member(w, "name", name);
    json_write_member_if(w, "versionInfo", version);
    json_write_member(w, "downloadLocation", SLICE("NOASSERTION"));
    json_write_key(w, "filesAnalyzed");
    json_write_bool(w, false);
    json_write_member(w, "primaryPackagePurpose", slice_of(purpose));
}

static void write_purl(struct json_writer *w, struct slice purl)
{
    if (purl.len == 0)
        return;
    json_write_key(w, "externalRefs");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_member(w, "referenceCategory", SLICE("PACKAGE-MANAGER"));
    json_write_member(w, "referenceType", SLICE("purl"));
    json_write_member(w, "referenceLocator", purl);
    json_write_end_object(w);
    json_write_end_array(w);
}

static void write_image(struct json_writer *w, struct exporting *exporting, const char *time)
{
    const struct sbom_image *image = exporting->image;
    struct annotations annotations = {w, time, false};

    begin_package(w, "SPDXRef-Image", image->name, image->tag, "CONTAINER");
    write_purl(w, exporting_image_purl(exporting));
    exporting_image_facts(image, put_annotation, &annotations);
    end_annotations(&annotations);
    json_write_end_object(w);
}

static void write_system(struct json_writer *w, struct slice os_release)
{
    struct slice name, version;

    if (os_release.len == 0)
        return;
    exporting_system(os_release, &name, &version);
    begin_package(w, "SPDXRef-OperatingSystem", name, version, "OPERATING-SYSTEM");
    json_write_end_object(w);
}

static char *package_id(size_t rank, char dst[40])
{
    snprintf(dst, 40, "SPDXRef-Package-%zu", rank + 1);
    return dst;
}

/* *id: of the wording, 0 when there is none. */
static void write_licence(struct json_writer *w, uint32_t id)
{
    char text[40];

    if (id == 0)
        return;
    snprintf(text, sizeof(text), "LicenseRef-%u", id);
    json_write_member(w, "licenseConcluded", SLICE("NOASSERTION"));
    json_write_member(w, "licenseDeclared", slice_of(text));
}

static void write_licences(struct json_writer *w, const struct intern *licences)
{
    if (licences->count < 2)
        return;
    json_write_key(w, "hasExtractedLicensingInfos");
    json_write_begin_array(w);
    for (uint32_t id = 1; id < licences->count; id++) {
        char text[40];

        snprintf(text, sizeof(text), "LicenseRef-%u", id);
        json_write_begin_object(w);
        json_write_member(w, "licenseId", slice_of(text));
        json_write_member(w, "name", intern_get(licences, id));
        json_write_member(w, "extractedText", intern_get(licences, id));
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_package(struct json_writer *w, struct exported *exported, size_t rank,
    uint32_t licence, const char *time)
{
    struct annotations annotations = {w, time, false};
    char text[64];

    begin_package(
        w, package_id(rank, text), exported->package.name, exported->package.version, "LIBRARY");
    write_licence(w, licence);
    write_purl(w, exported->purl);
    for (unsigned i = 0; i < PACKAGE_FIELD_COUNT; i++) {
        if (!exported->differs[i])
            continue;
        snprintf(text, sizeof(text), CAREEN_PREFIX "%s", package_field_name(i));
        put_annotation(&annotations, text, *package_field(&exported->package, i));
    }
    if (exported->beside.layer.len)
        put_annotation(&annotations, CAREEN_PREFIX "layer", exported->beside.layer);
    end_annotations(&annotations);
    json_write_end_object(w);
}

static int write_packages(struct json_writer *w, struct exporting *exporting, const char *time,
    struct intern *licences, struct err *err)
{
    json_write_key(w, "packages");
    json_write_begin_array(w);
    write_image(w, exporting, time);
    write_system(w, exporting->image->os_release);
    for (size_t rank = 0; rank < exporting->image->package_count; rank++) {
        struct exported exported;
        uint32_t licence;

        if (exporting_package(exporting, rank, &exported, err) < 0 ||
            intern_put(licences, exported.beside.licence, &licence, err) < 0)
            return -1;
        write_package(w, &exported, rank, licence, time);
    }
    json_write_end_array(w);
    return 0;
}

static void write_relationship(
    struct json_writer *w, const char *from, const char *type, const char *to)
{
    json_write_begin_object(w);
    json_write_member(w, "spdxElementId", slice_of(from));
    json_write_member(w, "relationshipType", slice_of(type));
    json_write_member(w, "relatedSpdxElement", slice_of(to));
    json_write_end_object(w);
}

static void write_relationships(struct json_writer *w, const struct sbom_image *image)
{
    char id[40];

    json_write_key(w, "relationships");
    json_write_begin_array(w);
    write_relationship(w, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
    if (image->os_release.len)
        write_relationship(w, "SPDXRef-Image", "CONTAINS", "SPDXRef-OperatingSystem");
    for (size_t rank = 0; rank < image->package_count; rank++)
        write_relationship(w, "SPDXRef-Image", "CONTAINS", package_id(rank, id));
    json_write_end_array(w);
}

static void write_head(struct json_writer *w, const struct sbom_image *image, const char *time)
{
    char uuid[UUID_TEXT_BYTES], text[UUID_TEXT_BYTES + 64];

    exporting_uuid(image, uuid);
    json_write_member(w, "spdxVersion", SLICE("SPDX-2.3"));
    json_write_member(w, "dataLicense", SLICE("CC0-1.0"));
    json_write_member(w, "SPDXID", SLICE("SPDXRef-DOCUMENT"));
    json_write_member(w, "name", image->name);
    snprintf(text, sizeof(text), "urn:uuid:%s", uuid);
    json_write_member(w, "documentNamespace", slice_of(text));
    json_write_key(w, "creationInfo");
    json_write_begin_object(w);
    json_write_member(w, "created", slice_of(time));
    json_write_key(w, "creators");
    json_write_begin_array(w);
    snprintf(text, sizeof(text), "Tool: careen-%s", image->tool_version);
    json_write_string(w, slice_of(text));
    json_write_end_array(w);
    json_write_end_object(w);
}

static int write_document(
    struct exporting *exporting, struct intern *licences, struct buf *out, struct err *err)
{
    char time[EXPORT_TIME_BYTES];
    struct json_writer w;

    exporting_time(exporting->image, time);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    write_head(&w, exporting->image, time);
    if (write_packages(&w, exporting, time, licences, err) < 0)
        return -1;
    write_licences(&w, licences);
    write_relationships(&w, exporting->image);
    json_write_end_object(&w);
    buf_put_char(out, '\n');
    return buf_check(out, "the SBOM", err);
}

int sbom_write_spdx(const struct sbom_image *image, struct buf *out, struct err *err)
{
    struct intern licences = {0};
    struct exporting exporting;
    int failed = exporting_init(&exporting, image, err);

    if (!failed)
        failed = intern_init(&licences, "the licences of one image", LICENCE_TEXT_BYTES, err);
    if (!failed)
        failed = write_document(&exporting, &licences, out, err);
    intern_release(&licences);
    exporting_release(&exporting);
    return failed;
}
