/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name is the one that the user gave where the image is known to bear it; then the scanner's
 * reference, then the first tag, then the repository of the first digest. A path, an image id or a
 * name that contradicts the tags is no name.
 *
 * The digest is that of the repository's entry in RepoDigests, else the config digest. Syft's
 * manifestDigest comes last: for an image taken from a daemon it is computed from a manifest that
 * Syft made itself, which no registry and no other scanner knows.
 */
#include "sbom/artifact.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "model/reference.h"

/* Schemes by which Syft is told where to take an image from; behind the first group stands a
 * reference, behind the second a path. */
static const char *const image_schemes[] = {
    "docker:", "podman:", "containerd:", "registry:", "oci-registry:"};
static const char *const path_schemes[] = {
    "docker-archive:", "oci-archive:", "oci-dir:", "singularity:", "dir:", "file:"};

static bool parse(struct slice text, struct reference *ret)
{
    struct err ignored;

    return text.len && text.len <= LIMIT_IMAGE_NAME_CHARS &&
           reference_parse(text, ret, &ignored) == 0;
}

static bool is_path(struct slice s)
{
    for (size_t i = 0; i < sizeof(path_schemes) / sizeof(*path_schemes); i++)
        if (slice_starts_with(s, path_schemes[i]))
            return true;
    return slice_starts_with(s, "/") || slice_contains(s, SLICE("./")) ||
           slice_ends_with(s, ".tar") || slice_ends_with(s, ".tar.gz") ||
           slice_ends_with(s, ".tgz");
}

static bool is_image_id(struct slice s, struct slice config_digest)
{
    struct slice hex = slice_skip(config_digest, strlen("sha256:"));

    return slice_starts_with(s, "sha256:") ||
           (s.len >= 12 && s.len <= hex.len && slice_eq(s, slice_sub(hex, 0, s.len)));
}

static bool same_repository(struct slice a, struct slice b)
{
    return slice_eq(reference_repository(a), reference_repository(b));
}

static struct slice tag_or_latest(struct slice tag)
{
    return tag.len ? tag : SLICE("latest");
}

/* Do the tags or digests know this repository? Completes the tag where one of the tags is meant. */
static bool is_borne(const struct artifact *artifact, struct reference *ref)
{
    struct reference known;
    bool borne = false;

    for (size_t i = 0; i < artifact->repo_tags.count; i++) {
        if (!parse(artifact->repo_tags.at[i], &known) || !same_repository(known.name, ref->name))
            continue;
        borne = true;
        if (!ref->digest.len && slice_eq(tag_or_latest(known.tag), tag_or_latest(ref->tag)))
            ref->tag = known.tag;
    }
    for (size_t i = 0; i < artifact->repo_digests.count; i++)
        borne |=
            parse(artifact->repo_digests.at[i], &known) && same_repository(known.name, ref->name);
    return borne;
}

static bool first_of(const struct names *texts, struct reference *ret)
{
    for (size_t i = 0; i < texts->count; i++)
        if (parse(texts->at[i], ret))
            return true;
    return false;
}

static struct slice without_scheme(struct slice s)
{
    for (size_t i = 0; i < sizeof(image_schemes) / sizeof(*image_schemes); i++)
        if (slice_starts_with(s, image_schemes[i]))
            return slice_skip(s, strlen(image_schemes[i]));
    return s;
}

/* "docker:latest" is an image of that name, or Syft's scheme before the image "latest": the tags
 * tell. */
static bool name_by_given(const struct artifact *artifact, struct reference *ret)
{
    struct slice plain = without_scheme(artifact->given);
    struct reference any;

    if (is_path(artifact->given) || is_image_id(artifact->given, artifact->config_digest))
        return false;
    if (parse(artifact->given, ret) && is_borne(artifact, ret))
        return true;
    if (parse(plain, ret) && is_borne(artifact, ret))
        return true;
    if (first_of(&artifact->repo_tags, &any) || first_of(&artifact->repo_digests, &any))
        return false;
    return parse(plain, ret);
}

static bool find_name(const struct artifact *artifact, bool is_image, struct reference *ret)
{
    if (is_image && name_by_given(artifact, ret))
        return true;
    if (parse(artifact->reference, ret)) {
        is_borne(artifact, ret);
        return true;
    }
    return first_of(&artifact->repo_tags, ret) || first_of(&artifact->repo_digests, ret);
}

/* The digest of the repository; where it has several, the one that was asked for. */
static struct slice find_digest(const struct artifact *artifact, const struct reference *ref)
{
    struct slice found = SLICE_NONE;
    struct reference known;

    for (size_t i = 0; i < artifact->repo_digests.count; i++) {
        if (!parse(artifact->repo_digests.at[i], &known) || !digest_is_valid(known.digest) ||
            !same_repository(known.name, ref->name))
            continue;
        if (!found.len || slice_eq(known.digest, ref->digest))
            found = known.digest;
    }
    if (found.len)
        return found;
    if (digest_is_valid(ref->digest))
        return ref->digest;
    if (digest_is_valid(artifact->config_digest))
        return artifact->config_digest;
    return digest_is_valid(artifact->manifest_digest) ? artifact->manifest_digest : SLICE_NONE;
}

void artifact_identify(const struct artifact *artifact, struct report *report)
{
    struct reference ref = {0};
    bool named = find_name(artifact, report->is_image, &ref);

    if (!named)
        ref = (struct reference){0};
    report->name = ref.name;
    report->tag = ref.tag;
    report->digest = find_digest(artifact, &ref);
    if (digest_is_valid(artifact->config_digest))
        report->config_digest = artifact->config_digest;
    /* Something to call it by, where it is no image. */
    if (!named && !report->is_image && artifact->given.len <= LIMIT_IMAGE_NAME_CHARS &&
        utf8_is_line(artifact->given))
        report->name = artifact->given;
}
