/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this room share.
 *
 * Locks, in this order: the turn to write (store_begin), `follow` (one thread at a time takes
 * changes in), `overlays` (shared: reading decisions in memory; exclusive: changing them), `lock`
 * (shared: reading anything else in memory; exclusive: changing it), then those of the store's
 * reads. `overlays` and `lock` are never held exclusively together. Facts and tenants are changed
 * by the thread that holds `follow`, with `lock` held exclusively, and for no longer than memory
 * takes (decisions: `overlays`); that thread may read them without. Nobody may ask for a turn to
 * write while holding one of the others.
 */
#ifndef CAREEN_FLEET_INTERNAL_H
#define CAREEN_FLEET_INTERNAL_H

#include "fleet/aliases.h"
#include "fleet/fleet.h"
#include "fleet/holdings.h"
#include "fleet/overlay.h"

#include <pthread.h>
#include <stdatomic.h>

/* What is asked of a project, whichever tenant stands for it; lives as long as the fleet. */
struct fleet_hold {
    uint32_t project;
    struct fleet_hold *next; /* the next three: demand_lock */
    bool wanted, anew;       /* it is to be loaded; even if it is loaded */
    bool loading;            /* a thread does */
    bool known;              /* it was wanted once because all are (load_all); `follow` */
    atomic_uint holds;       /* goes up under `lock`, so nothing held is dropped */
    atomic_llong used_us;    /* monotonic: when it was held last */
};

/* One project in memory. */
struct tenant {
    uint32_t number;
    char *id;
    struct index *index; /* NULL: not loaded */
    struct aliases aliases;
    struct holdings holdings; /* counted in aliases */
    struct overlay *overlay;  /* the decisions in force */
    int64_t next_expiry_ms;   /* of those; INT64_MAX: none ends by itself */
    struct ids expired; /* decisions whose time is over, and that nobody has ended; `follow` */
    struct fleet_hold *demand; /* not its own; NULL where it is in no fleet */
    bool shared;               /* readers may see it */
    bool broken;               /* half done, or not to be loaded: closed to readers, for why */
    struct err why;
    int64_t retry_us, failed_us; /* when to load it anew; when it failed (monotonic) */
};

struct fleet {
    struct store *store;
    pthread_mutex_t follow;
    pthread_rwlock_t overlays, lock;
    struct facts facts;
    struct tenant **tenants;
    size_t tenant_count, tenant_cap;
    bool load_all;         /* projects that come later are loaded, too */
    atomic_bool on_demand; /* by fleet_load_next() alone; else by whoever finds that it is due */
    unsigned loads;        /* under way: the log is followed for them; `follow` */
    uint64_t seen;         /* causes up to this one are taken in */
    uint64_t data_version; /* of the store, when it was last looked at */
    int64_t now_ms; /* what time decisions expire by: the clock, which may not go back here, or what
                       has expired would come to life; changed under `follow`, atomic */

    pthread_mutex_t demand_lock; /* taken alone */
    pthread_cond_t demanded;     /* something is wanted, or has been loaded */
    struct fleet_hold *demands;  /* all */
    atomic_bool ended;           /* loads give up */
    atomic_ullong budget, bytes; /* of indexes; 0: none; as they were last added up */
    atomic_ullong loaded_ever, dropped_ever;
};

/* Growing scratch space for the findings of one image, and the names that they point at. */
struct derived {
    struct index_finding *at;
    size_t count, cap;
    struct ids names;
};

void derived_release(struct derived *derived);
/* The rows of an image: its slots' claims, folded by alias group; sorted by vulnerability. All
 * claims must be in facts. overlay: what lies over them; NULL: nothing. */
int derive_findings(const struct facts *facts, const struct aliases *aliases,
    const struct overlay *overlay, const struct image *image, const struct slot slots[SOURCE_COUNT],
    struct derived *ret, struct err *err);
/* The distinct claims over all slots, ascending. */
int content_claims(const struct slot slots[SOURCE_COUNT], struct ids *ret, struct err *err);
/* The distinct packages over all slots, with the earliest time of each. */
int content_packages(const struct slot slots[SOURCE_COUNT], struct timed_ids *ret, struct err *err);
void content_release(struct slot slots[SOURCE_COUNT]);
enum assessment content_assessment(const struct slot slots[SOURCE_COUNT]);

/* tenant.c: keeping one project equal to its facts. The caller holds `follow`, and not `lock`. */
void tenant_free(struct tenant *tenant);
/* Reads the image and brings the tenant up to it (gone: removes it). On failure it is half done. */
int tenant_apply(struct fleet *fleet, struct tenant *tenant, uint32_t image, struct err *err);

/* Makes `claims` (sorted) what the image holds: those that came are counted in, those that went are
 * counted out. Groups are to be settled. */
int tenant_hold(struct fleet *fleet, struct tenant *tenant, uint32_t image,
    const struct ids *claims, struct err *err);
/* Recomputes alias groups; images whose rows change their vulnerability are derived again. */
int tenant_settle_aliases(struct fleet *fleet, struct tenant *tenant, struct err *err);

/* loading.c: a tenant built from the store alone, not shared yet. Takes seconds for tens of
 * millions of findings. following: the caller holds `follow`; else it must not. *later gets the
 * images that changed meanwhile: they are to be applied, and what was committed since is to be
 * followed. */
struct tenant *tenant_build(struct fleet *fleet, uint32_t number, struct slice id, bool following,
    struct ids *later, struct err *err);
/* All of it but the following; the caller holds `follow`. */
struct tenant *tenant_load(struct fleet *fleet, uint32_t number, struct slice id, struct err *err);

/* Readers are kept out while a tenant that they may see is changed. */
void tenant_begin_change(struct fleet *fleet, const struct tenant *tenant);
void tenant_end_change(struct fleet *fleet, const struct tenant *tenant);

/* tenant_decisions.c; as above. */
/* Before any row is derived, and after alias groups are settled. */
int tenant_load_decisions(struct fleet *fleet, struct tenant *tenant, struct err *err);
/* Names are in other groups since this plan was made true. Rows are the caller's to derive. */
int tenant_regroup_decisions(
    struct fleet *fleet, struct tenant *tenant, const struct alias_plan *plan, struct err *err);
/* Reads these decisions and brings the tenant up to them. On failure it is half done. */
int tenant_apply_decisions(
    struct fleet *fleet, struct tenant *tenant, const struct ids *numbers, struct err *err);
/* Ends those in memory whose time is over. On failure it is half done. */
int tenant_expire(struct fleet *fleet, struct tenant *tenant, struct err *err);

/* fleet.c */
struct tenant *fleet_tenant(const struct fleet *fleet, uint32_t project); /* or NULL */
/* Shared lock and loaded tenant; 0 and *ret, to be ended with fleet_end_read(); or -1 and ERR_BUSY
 * or ERR_NOT_FOUND, not locked. */
int fleet_begin_read(struct fleet *fleet, uint32_t project, struct tenant **ret, struct err *err);
void fleet_end_read(struct fleet *fleet);
/* Takes in names, records and claims that are new in the store; the caller holds `follow`. */
int fleet_read_facts(struct fleet *fleet, struct err *err);
/* Takes in projects made since; the caller holds `follow`. */
int fleet_read_projects(struct fleet *fleet, struct err *err);
bool fleet_any_loaded(const struct fleet *fleet);
/* The time that decisions end by; the caller holds `follow`. */
void fleet_look_at_clock(struct fleet *fleet);
/* Loads (on demand: wants) what is to be kept loaded and is not, or is broken; again: all of that.
 * A failure is that project's own: it is told to those who ask for the project. The caller holds
 * `follow`. */
void fleet_load_tenants(struct fleet *fleet, bool again);
/* Closes the tenant to readers, for why; it is not loaded anew for so long. */
void fleet_note_failure(
    struct fleet *fleet, struct tenant *tenant, const struct err *why, int64_t wait_us);
/* The same of one that could not be loaded: for a while, where trying again would not help. */
void fleet_note_load_failure(struct fleet *fleet, struct tenant *tenant, const struct err *why);
/* Follows, and gives the project's id, which image ids are made of. ERR_NOT_FOUND. Before the turn
 * to write is taken: a load in progress or a backlog is waited for here, and others would wait with
 * us. */
int fleet_prepare_write(
    struct fleet *fleet, uint32_t project, struct arena *arena, struct slice *ret, struct err *err);

/* loads.c */
/* Loads the project anew, beside readers and writers, and puts it in its place. The caller holds no
 * lock. */
int fleet_load_one(struct fleet *fleet, uint32_t project, struct err *err);
struct fleet_hold *demand_new(struct fleet *fleet, uint32_t project, struct err *err);
/* anew: even if it is loaded, or being loaded. */
void demand_want(struct fleet *fleet, struct fleet_hold *demand, bool anew);

/* follow.c */
/* Takes the log in, for the tenants that are loaded; the caller holds `follow`. */
int fleet_follow_log(struct fleet *fleet, struct err *err);
/* Takes in some of what the log says of this tenant, which is none of the fleet's yet, behind
 * *from, up to where the fleet is. 0: that was all, 1: there is more, 2: the log was trimmed, -1.
 * The caller holds `follow`. */
int fleet_catch_up(struct fleet *fleet, struct tenant *tenant, uint64_t *from, struct err *err);
/* Like fleet_follow; the caller holds `follow`. */
int fleet_follow_locked(struct fleet *fleet, struct err *err);

/* move_decisions.c, within a write that began with following: the decisions in force that name the
 * image by the id that it had name it by its new one. */
int decisions_move(struct fleet *fleet, const struct image *image, const char *old_id,
    int64_t now_ms, struct err *err);

/* place.c: an image's row from a report and a placement. */
int image_from_request(const struct put_request *request, struct image *ret, struct err *err);

/* change.c, within a write: the image goes, with its cause, and hands its mark `latest` on. */
int change_remove(struct store *store, struct slice project_id, const struct image *image,
    enum removal why, int64_t now_ms, struct err *err);

/* latest.c, within a write. They set image->latest; writing its row is the caller's. */
/* The image has just been reported on this line: it gets the mark, another one loses it. */
int latest_take(struct store *store, struct image *image, const unsigned char line[16],
    int64_t now_ms, struct err *err);
/* The image has come to this line from another: the one of both that was reported later has the
 * mark then. */
int latest_contend(struct store *store, struct image *image, const unsigned char line[16],
    int64_t now_ms, struct err *err);
/* The image leaves this line: if it has the mark, the one reported last of the others gets it. */
int latest_leave(struct store *store, const struct image *image, const unsigned char line[16],
    int64_t now_ms, struct err *err);

#endif
