/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One package's header, as rpm's databases hold it (rpm, lib/header.c):
 *
 *     il  dl | il entries: tag type offset count | dl bytes of data
 *
 * All numbers are big-endian, 32 bits; an offset is one into the data. What the package's file came
 * with is a region: the first entry (HEADERIMMUTABLE) points at a trailer that says how many
 * entries belong to it, by a negative offset. rpm keeps what it adds or changes on installing
 * behind the region, and there a tag stands for the region's of the same name: reading all entries
 * in order, and letting the last one win, gives the same without a look at the trailer.
 */
#include "inventory/rpm.h"

#include "inventory/bytes.h"

#include <inttypes.h>

enum { HEAD_BYTES = 8, ENTRY_BYTES = 16 };
/* More than rpm itself takes. */
enum { MAX_ENTRIES = 0xffff };
enum { TYPE_INT32 = 4, TYPE_STRING = 6, TYPE_STRING_ARRAY = 8, TYPE_I18N_STRING = 9 };
enum { TAG_EPOCH = 1003 };

static const struct {
    uint32_t tag;
    const char *name;
    size_t offset; /* of the slice in struct rpm_facts */
} texts[] = {
    {1000, "NAME", offsetof(struct rpm_facts, name)},
    {1001, "VERSION", offsetof(struct rpm_facts, version)},
    {1002, "RELEASE", offsetof(struct rpm_facts, release)},
    {1014, "LICENSE", offsetof(struct rpm_facts, licence)},
    {1022, "ARCH", offsetof(struct rpm_facts, arch)},
    {1044, "SOURCERPM", offsetof(struct rpm_facts, source_rpm)},
    {5096, "MODULARITYLABEL", offsetof(struct rpm_facts, module)},
};

enum { TEXTS = sizeof(texts) / sizeof(*texts) };

struct entry {
    uint32_t tag, type, offset, count;
};

static struct entry entry_at(const unsigned char *p)
{
    return (struct entry){bytes_be32(p), bytes_be32(p + 4), bytes_be32(p + 8), bytes_be32(p + 12)};
}

/* The first text of the entry. */
static int read_text(const struct entry *entry, struct slice data, const char *name,
    struct slice *ret, struct err *err)
{
    struct slice text = slice_skip(data, entry->offset);
    size_t len = slice_find_char(text, '\0');

    if (entry->type != TYPE_STRING && entry->type != TYPE_STRING_ARRAY &&
        entry->type != TYPE_I18N_STRING)
        return err_set(err, ERR_FORMAT, "an rpm header's %s is no text but of type %" PRIu32, name,
            entry->type);
    if (entry->count == 0 || len == text.len)
        return err_set(err, ERR_FORMAT,
            "an rpm header's %s, at %" PRIu32 " of %zu bytes of data, does not end there", name,
            entry->offset, data.len);
    *ret = slice_sub(text, 0, len);
    return 0;
}

static int read_epoch(const struct entry *entry, struct slice data, uint32_t *ret, struct err *err)
{
    struct slice number = slice_sub(data, entry->offset, 4);

    if (entry->type != TYPE_INT32 || entry->count == 0 || number.len < 4)
        return err_set(err, ERR_FORMAT,
            "an rpm header's EPOCH (type %" PRIu32 ", at %" PRIu32 " of %zu bytes of data) is no "
            "number of 32 bits",
            entry->type, entry->offset, data.len);
    *ret = bytes_be32((const unsigned char *)number.ptr);
    return 0;
}

/* The last entry of each tag that is wanted: reading others, too, would let a header of many long
 * texts cost the square of its size. */
struct last {
    struct entry epoch, texts[TEXTS]; /* zeroed where there is none */
};

static void keep_last(struct last *last, const struct entry *entry)
{
    if (entry->tag == TAG_EPOCH)
        last->epoch = *entry;
    for (size_t i = 0; i < TEXTS; i++)
        if (entry->tag == texts[i].tag)
            last->texts[i] = *entry;
}

static int read_last(
    const struct last *last, struct slice data, struct rpm_facts *facts, struct err *err)
{
    if (last->epoch.tag && read_epoch(&last->epoch, data, &facts->epoch, err) < 0)
        return -1;
    for (size_t i = 0; i < TEXTS; i++)
        if (last->texts[i].tag &&
            read_text(&last->texts[i], data, texts[i].name,
                (struct slice *)(void *)((char *)facts + texts[i].offset), err) < 0)
            return -1;
    return 0;
}

int rpm_header_add(struct slice header, struct inventory *inventory, struct err *err)
{
    const unsigned char *bytes = (const unsigned char *)header.ptr;
    struct rpm_facts facts = {0};
    struct last last = {0};
    uint64_t entries, data_bytes;
    struct slice data;

    if (header.len < HEAD_BYTES)
        return err_set(err, ERR_FORMAT, "an rpm header is cut short after %zu bytes", header.len);
    entries = bytes_be32(bytes);
    data_bytes = bytes_be32(bytes + 4);
    if (entries == 0 || entries > MAX_ENTRIES ||
        HEAD_BYTES + entries * ENTRY_BYTES + data_bytes != header.len)
        return err_set(err, ERR_FORMAT,
            "an rpm header of %zu bytes says that it has %" PRIu64 " entries and %" PRIu64
            " bytes of data",
            header.len, entries, data_bytes);
    data = slice_skip(header, HEAD_BYTES + entries * ENTRY_BYTES);
    for (size_t i = 0; i < entries; i++) {
        struct entry entry = entry_at(bytes + HEAD_BYTES + i * ENTRY_BYTES);

        keep_last(&last, &entry);
    }
    if (read_last(&last, data, &facts, err) < 0)
        return -1;
    return rpm_facts_add(&facts, inventory, err);
}
