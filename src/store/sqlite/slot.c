/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots: what one source saw in one image, as one row with two blobs (codec/idlist.h). A slot is
 * only ever replaced whole.
 */
#include "store/sqlite/sqlite_store.h"

#include "base/bug.h"

void slot_release(struct slot *slot)
{
    timed_ids_release(&slot->packages);
    ids_release(&slot->claims);
}

static int64_t slot_key(uint32_t image, int source)
{
    return (int64_t)image * SLOT_KEYS + source;
}

static int check_slot(const struct slot *slot, struct err *err)
{
    if (slot->packages.count > LIMIT_IMAGE_PACKAGES)
        return err_set(err, ERR_LIMIT, "the image has %zu packages; the limit is %d",
            slot->packages.count, LIMIT_IMAGE_PACKAGES);
    if (slot->claims.count > LIMIT_IMAGE_CLAIMS)
        return err_set(err, ERR_LIMIT, "the image has %zu claims; the limit is %d",
            slot->claims.count, LIMIT_IMAGE_CLAIMS);
    return 0;
}

/* The INSERT takes its row from the image's: no image, no slot. */
static int put_encoded(struct conn *conn, uint32_t image, const struct slot *slot,
    struct slice packages, struct slice claims, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_PUT_SLOT,
            "INSERT OR REPLACE INTO slot (key, complete, scanned_ms, packages, claims)"
            " SELECT ?1, ?2, ?3, ?4, ?5 FROM image WHERE number = ?6",
            "storing what an image holds", err) < 0)
        return -1;
    query_bind_int(&q, 1, slot_key(image, (int)slot->source));
    query_bind_int(&q, 2, slot->complete);
    query_bind_int(&q, 3, slot->scanned_ms);
    query_bind_blob(&q, 4, packages);
    query_bind_blob(&q, 5, claims);
    query_bind_int(&q, 6, image);
    if (query_run(&q, err) < 0)
        return -1;
    if (sqlite3_changes(conn->db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no image with number %u", image);
    return 0;
}

int store_put_slot(struct store *store, uint32_t image, const struct slot *slot, struct err *err)
{
    struct conn *conn = store_write_conn(store, err);
    struct slice content;
    size_t claims_at;

    if (!conn || check_slot(slot, err) < 0)
        return -1;
    BUG_ON((unsigned)slot->source >= SOURCE_COUNT);
    buf_clear(&store->scratch);
    if (timed_ids_encode(&store->scratch, &slot->packages, err) < 0)
        return -1;
    claims_at = store->scratch.len;
    idlist_encode(&store->scratch, &slot->claims);
    if (buf_check(&store->scratch, "what an image holds", err) < 0)
        return -1;
    content = buf_slice(&store->scratch);
    return put_encoded(
        conn, image, slot, slice_sub(content, 0, claims_at), slice_skip(content, claims_at), err);
}

int slot_read(struct query *q, int column, struct slot *ret, struct err *err)
{
    if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL) {
        ret->complete = false;
        ret->scanned_ms = 0;
        ret->packages.count = 0;
        ret->claims.count = 0;
        return 0;
    }
    ret->complete = query_enum(q, column, 2) == 1;
    ret->scanned_ms = query_int(q, column + 1);
    if (timed_ids_decode(query_blob(q, column + 2), STORED_IDS_MAX, &ret->packages, err) < 0)
        return err_prefix(err, "%s: %s", q->conn->store->file, q->doing);
    return query_ids(q, column + 3, &ret->claims, err);
}

static int read_slots(
    struct conn *conn, uint32_t image, struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct query q CLEANUP(query_end) = {0};
    int step;

    if (query_begin(&q, conn, STATEMENT_GET_SLOTS,
            "SELECT key, complete, scanned_ms, packages, claims FROM slot"
            " WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
            "reading what an image holds", err) < 0)
        return -1;
    query_bind_int(&q, 1, slot_key(image, 0));
    query_bind_int(&q, 2, slot_key(image, SOURCE_COUNT - 1));
    while ((step = query_step(&q, err)) > 0) {
        struct slot *slot = &slots[query_int(&q, 0) % SLOT_KEYS];

        if (slot_read(&q, 1, slot, err) < 0)
            return -1;
    }
    return step;
}

int store_get_slots(
    struct store *store, uint32_t image, struct slot ret[SOURCE_COUNT], struct err *err)
{
    struct conn *conn CLEANUP(store_read_end) = store_read_conn(store, err);
    struct slot slots[SOURCE_COUNT] = {0};

    if (!conn)
        return -1;
    for (int source = 0; source < SOURCE_COUNT; source++)
        slots[source].source = (enum source)source;
    if (read_slots(conn, image, slots, err) < 0) {
        for (int source = 0; source < SOURCE_COUNT; source++)
            slot_release(&slots[source]);
        return -1;
    }
    memcpy(ret, slots, sizeof(slots));
    return 0;
}

int remove_slots(struct conn *conn, uint32_t image, struct err *err)
{
    struct query q CLEANUP(query_end) = {0};

    if (query_begin(&q, conn, STATEMENT_REMOVE_SLOTS,
            "DELETE FROM slot WHERE key BETWEEN ?1 AND ?2", "removing what an image holds",
            err) < 0)
        return -1;
    query_bind_int(&q, 1, slot_key(image, 0));
    query_bind_int(&q, 2, slot_key(image, SLOT_KEYS - 1));
    return query_run(&q, err);
}
