/* SPDX-License-Identifier: Apache-2.0 */
/* An image at its place, and its identity (docs/architecture.md, Vocabulary: image, latest, slot).
 */
#ifndef CAREEN_MODEL_IMAGE_H
#define CAREEN_MODEL_IMAGE_H

#include "base/arena.h"
#include "codec/hash.h"
#include "model/words.h"

/* Where an image lives. Given by whoever imports it, or changed later. */
struct placement {
    struct slice enterprise_project; /* "0" is the default one */
    enum image_type type;
    struct slice registry_type; /* Harbor Jfrog SwrPrivate SwrShared SwrEnterprise Other */
    struct slice registry_name;
    struct slice organization;
    struct slice cluster_id, cluster_name;
    struct slice agent_id;
    struct slice pipeline;
    int64_t containers; /* running ones; -1 = not known */
    int multi_arch;     /* -1 = not known, 0, 1 */
};

struct image {
    uint32_t number;  /* given by the store in order of arrival, never used again */
    uint32_t project; /* stored project number */
    char id[UUID_TEXT_BYTES];
    struct placement place;
    struct slice name;          /* as given, without tag */
    struct slice tag;           /* image_version as given; empty when not known */
    struct slice digest;        /* image_digest: the manifest's, else the config's; may be empty */
    struct slice config_digest; /* empty when not known */
    struct slice os_release;    /* "debian-12", "alpine-3.19"; empty when not known */
    struct slice architecture;  /* "amd64", "arm64/v8"; empty when not known */
    int64_t size_bytes;         /* -1 = not known */
    int64_t first_seen_ms;      /* when this row came to be */
    int64_t latest_scan_ms;     /* when its content was last read or reported */
    int64_t updated_ms;         /* last change of anything */
    bool latest; /* no newer image stands at its place, repository, tag and platform */
    enum assessment assessment;
};

/* Copies what its strings are into the arena, and points it there. */
int image_copy_strings(struct arena *arena, struct image *image, struct err *err);
/* The UUIDv5 of the key: project, enterprise project, type, where (see image_where), normalised
 * repository, tag ("latest" when empty), digest. project_id is the tenant's public id. */
void image_make_id(struct slice project_id, const struct image *image, char ret[UUID_TEXT_BYTES]);
/* What tells two places of one type apart: the registry's name, the cluster's id, the agent's id,
 * the pipeline. */
struct slice image_where(const struct placement *place);
/* What the mark `latest` goes by: project, enterprise project, type, where, repository, tag,
 * architecture, hashed; the digest is not in it. */
void image_line_key(struct slice project_id, const struct image *image, unsigned char ret[16]);

#endif
