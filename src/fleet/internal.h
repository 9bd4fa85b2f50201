/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this room share.
 *
 * Locks, in this order: `follow` (one thread at a time takes changes in), `lock` (shared: reading
 * anything in memory; exclusive: changing it), then the store's own. Facts and tenants are changed
 * by the thread that holds `follow`, with `lock` held exclusively; that thread may read them
 * without.
 */
#ifndef CAREEN_FLEET_INTERNAL_H
#define CAREEN_FLEET_INTERNAL_H

#include "fleet/aliases.h"
#include "fleet/fleet.h"

#include <pthread.h>

/* The claims of one image, over all its slots, as counted in `aliases`: an idlist blob. */
struct held {
    uint32_t image;
    uint32_t size;
    char *blob; /* owned; NULL: the image has gone */
};

/* One project in memory. */
struct tenant {
    uint32_t number;
    char *id;
    struct index *index; /* NULL: not loaded */
    struct aliases aliases;
    struct held *held; /* ascending by image */
    size_t held_count, held_cap;
};

struct fleet {
    struct store *store;
    pthread_mutex_t follow;
    pthread_rwlock_t lock;
    struct facts facts;
    struct tenant **tenants;
    size_t tenant_count, tenant_cap;
    bool load_all;         /* projects that come later are loaded, too */
    uint64_t seen;         /* causes up to this one are taken in */
    uint64_t data_version; /* of the store, when it was last looked at */
};

/* Growing scratch space for the findings of one image. */
struct derived {
    struct index_finding *at;
    size_t count, cap;
};

void derived_release(struct derived *derived);
/* The rows of an image: its slots' claims, folded by alias group; sorted by vulnerability. All
 * claims must be in facts. */
int derive_findings(const struct facts *facts, const struct aliases *aliases,
    const struct image *image, const struct slot slots[SOURCE_COUNT], struct derived *ret,
    struct err *err);
/* The distinct claims over all slots, ascending. */
int content_claims(const struct slot slots[SOURCE_COUNT], struct ids *ret, struct err *err);
/* The distinct packages over all slots, with the earliest time of each. */
int content_packages(const struct slot slots[SOURCE_COUNT], struct timed_ids *ret, struct err *err);
void content_release(struct slot slots[SOURCE_COUNT]);
enum assessment content_assessment(const struct slot slots[SOURCE_COUNT]);

/* tenant.c: keeping one project equal to its facts. The caller holds `follow`, and `lock`
 * exclusively where the tenant is visible to readers. */
void tenant_free(struct tenant *tenant);
/* A tenant built from the store alone. Takes no lock but to read facts in. */
struct tenant *tenant_load(struct fleet *fleet, uint32_t number, struct slice id, struct err *err);
/* Reads the image and brings the tenant up to it (gone: removes it). */
int tenant_apply(struct fleet *fleet, struct tenant *tenant, uint32_t image, struct err *err);

/* fleet.c */
struct tenant *fleet_tenant(const struct fleet *fleet, uint32_t project); /* or NULL */
/* Shared lock and loaded tenant; 0 and *ret, to be ended with fleet_end_read(); or -1 and ERR_BUSY
 * or ERR_NOT_FOUND, not locked. */
int fleet_begin_read(struct fleet *fleet, uint32_t project, struct tenant **ret, struct err *err);
void fleet_end_read(struct fleet *fleet);
/* Like fleet_follow; the caller holds `follow`. */
int fleet_follow_locked(struct fleet *fleet, struct err *err);

/* place.c: an image's row from a report and a placement. */
int image_from_request(const struct put_request *request, struct image *ret, struct err *err);

/* latest.c, within a write. latest_take: `image` has become the latest of its line, another one
 * loses the mark. latest_pass_on: `gone` has left the line with the mark, the newest other one gets
 * it. */
int latest_take(struct store *store, uint32_t project, const unsigned char line[16], uint32_t image,
    int64_t now_ms, struct err *err);
int latest_pass_on(struct store *store, uint32_t project, const unsigned char line[16],
    uint32_t gone, int64_t now_ms, struct err *err);

#endif
