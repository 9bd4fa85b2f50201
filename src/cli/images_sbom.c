/* SPDX-License-Identifier: Apache-2.0 */
/* careen images show -o cyclonedx | spdx: one image as an SBOM. */
#include "cli/images.h"
#include "sbom/export.h"

static int take_packages(const struct image_detail *detail, struct arena *arena,
    struct sbom_image *sbom, struct err *err)
{
    struct package *packages =
        arena_alloc_array(arena, detail->package_count + 1, sizeof(*packages), err);

    if (!packages)
        return -1;
    for (size_t i = 0; i < detail->package_count; i++)
        packages[i] = detail->packages[i].package;
    sbom->packages = packages;
    sbom->package_count = detail->package_count;
    return 0;
}

static int take_claims(const struct image_detail *detail, struct arena *arena,
    struct sbom_image *sbom, struct err *err)
{
    struct sbom_claim *claims =
        arena_alloc_array(arena, detail->claim_count + 1, sizeof(*claims), err);

    if (!claims)
        return -1;
    for (size_t i = 0; i < detail->claim_count; i++) {
        const struct image_claim *from = &detail->claims[i];

        claims[i] = (struct sbom_claim){.id = from->reported,
            .related = from->related,
            .related_count = from->related_count,
            .package = from->package,
            .severity = from->severity,
            .fixed_version = from->fixed_version};
    }
    sbom->claims = claims;
    sbom->claim_count = detail->claim_count;
    return 0;
}

int images_write_sbom(const struct image_detail *detail, enum cli_format format,
    struct arena *arena, struct buf *out, struct err *err)
{
    const struct image *image = &detail->image;
    struct sbom_image sbom = {.tool_version = CAREEN_VERSION,
        .id = image->id,
        .name = image->name,
        .tag = image->tag,
        .digest = image->digest,
        .config_digest = image->config_digest,
        .os_release = image->os_release,
        .architecture = image->architecture,
        .size_bytes = image->size_bytes,
        .scanned_ms = image->latest_scan_ms,
        .complete = image->assessment == ASSESSMENT_FULL};

    if (take_packages(detail, arena, &sbom, err) < 0 || take_claims(detail, arena, &sbom, err) < 0)
        return -1;
    return (format == FORMAT_CYCLONEDX ? sbom_write_cyclonedx : sbom_write_spdx)(&sbom, out, err);
}
