/* SPDX-License-Identifier: Apache-2.0 */
/* Facts as bytes: see facts.h for the layout. */
#include "scan/facts.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/intern.h"
#include "base/limits.h"
#include "codec/hash.h"

#include <stdlib.h>

static const struct slice magic = SLICE_INIT("careenf");

/* ---- payloads: writing ---- */

enum { PACKAGE_TEXTS = 8 };

static void package_texts(const struct found_package *found, struct slice ret[PACKAGE_TEXTS])
{
    const struct package *package = &found->package;

    ret[0] = package->ecosystem;
    ret[1] = package->name;
    ret[2] = package->version;
    ret[3] = package->arch;
    ret[4] = package->module;
    ret[5] = package->source_name;
    ret[6] = package->source_version;
    ret[7] = found->licence;
}

/* The positions of the texts, appended to *body. */
static int pack_positions(struct intern *table, const struct slice *texts, size_t count,
    struct buf *body, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t id;

        if (intern_put(table, texts[i], &id, err) < 0)
            return -1;
        pack_number(body, id);
    }
    return 0;
}

static int pack_body(
    const struct inventory *inventory, struct intern *table, struct buf *body, struct err *err)
{
    if (pack_positions(table, &inventory->os_release, 1, body, err) < 0)
        return -1;
    pack_number(body, (uint64_t)inventory->os_rank);
    pack_number(body, inventory->package_count);
    pack_number(body, inventory->licence_count);
    for (size_t i = 0; i < inventory->package_count; i++) {
        struct slice texts[PACKAGE_TEXTS];

        package_texts(&inventory->packages[i], texts);
        if (pack_positions(table, texts, PACKAGE_TEXTS, body, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < inventory->licence_count; i++) {
        const struct found_licence *found = &inventory->licences[i];

        if (pack_positions(table, &found->package, 1, body, err) < 0 ||
            pack_positions(table, &found->licence, 1, body, err) < 0)
            return -1;
    }
    return 0;
}

int layer_facts_pack_inventory(struct buf *out, const struct inventory *inventory, struct err *err)
{
    struct buf body CLEANUP(buf_release) = BUF_INIT(LIMIT_FACTS_BYTES);
    struct intern table CLEANUP(intern_release) = {0};

    if (intern_init(&table, "what one file tells (LIMIT_FACTS_BYTES)", LIMIT_FACTS_BYTES, err) <
            0 ||
        pack_body(inventory, &table, &body, err) < 0)
        return -1;
    /* Text 0 is the empty one, which needs no writing. */
    pack_number(out, table.count - 1);
    for (size_t i = 1; i < table.count; i++)
        pack_text(out, table.strings[i]);
    buf_put_slice(out, buf_slice(&body));
    if (buf_check(&body, "what one file tells", err) < 0)
        return -1;
    return buf_check(out, "what one file tells", err);
}

/* ---- payloads: reading ---- */

static int damaged(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "the facts of a layer are damaged");
}

static struct slice text_at(struct told *told)
{
    size_t at = (size_t)unpack_up_to(&told->in, told->text_count - 1);

    return told->texts[at];
}

int told_begin(struct slice payload, struct arena *arena, struct told *ret, struct err *err)
{
    struct told told = {.in = {.rest = payload}};
    struct slice *texts;

    told.text_count = unpack_count(&told.in, 1) + 1;
    texts = arena_alloc_array(arena, told.text_count, sizeof(*texts), err);
    if (!texts)
        return -1;
    for (size_t i = 1; i < told.text_count; i++)
        texts[i] = unpack_text(&told.in);
    told.texts = texts;
    told.os_release = text_at(&told);
    told.os_rank = (int)unpack_up_to(&told.in, 1000);
    told.packages = (size_t)unpack_up_to(&told.in, LIMIT_IMAGE_PACKAGES);
    told.licences = (size_t)unpack_up_to(&told.in, LIMIT_IMAGE_PACKAGES);
    if (told.in.failed)
        return damaged(err);
    *ret = told;
    return 0;
}

bool told_package(struct told *told, struct found_package *ret)
{
    struct found_package found = {0};
    struct package *package = &found.package;
    struct slice *const texts[PACKAGE_TEXTS] = {&package->ecosystem, &package->name,
        &package->version, &package->arch, &package->module, &package->source_name,
        &package->source_version, &found.licence};

    if (told->next_package == told->packages)
        return false;
    for (size_t i = 0; i < PACKAGE_TEXTS; i++)
        *texts[i] = text_at(told);
    if (told->in.failed)
        return false;
    told->next_package++;
    *ret = found;
    return true;
}

bool told_licence(struct told *told, struct found_licence *ret)
{
    struct found_licence found;

    if (told->next_licence == told->licences)
        return false;
    found.package = text_at(told);
    found.licence = text_at(told);
    if (told->in.failed)
        return false;
    told->next_licence++;
    *ret = found;
    return true;
}

/* Looks through a payload. The arena's memory is the caller's to forget. */
static int check_payload(struct slice payload, struct arena *arena, struct err *err)
{
    struct found_package package;
    struct found_licence licence;
    struct told told;

    if (told_begin(payload, arena, &told, err) < 0)
        return -1;
    while (told_package(&told, &package))
        ;
    while (told_licence(&told, &licence))
        ;
    if (told.in.failed || told.in.rest.len || told.next_package != told.packages ||
        told.next_licence != told.licences)
        return damaged(err);
    return 0;
}

/* ---- facts ---- */

static void encode_fact(const struct fact *fact, struct buf *out)
{
    pack_number(out, fact->kind);
    pack_text(out, fact->path);
    if (fact->kind == FACT_LINK || fact->kind == FACT_SAME)
        pack_text(out, fact->target);
    else if (fact->kind == FACT_BESIDE)
        pack_number(out, !fact->empty);
    if (fact->kind != FACT_FILE && fact->kind != FACT_SAME)
        return;
    pack_text(out, slice_of(fact->reader->name));
    if (fact->kind == FACT_SAME)
        return;
    pack_text(out, fact->as);
    pack_number(out, fact->failed);
    pack_text(out, fact->failed ? fact->why : fact->payload);
}

int layer_facts_encode(const struct layer_facts *facts, struct buf *out, struct err *err)
{
    size_t from = out->len;
    unsigned char digest[SHA256_BYTES];

    buf_put_slice(out, magic);
    pack_number(out, FACTS_FORMAT);
    pack_number(out, INVENTORY_VERSION);
    pack_number(out, facts->count);
    for (size_t i = 0; i < facts->count; i++)
        encode_fact(&facts->at[i], out);
    if (!out->failed) {
        sha256(slice_skip(buf_slice(out), from), digest);
        buf_put(out, digest, sizeof(digest));
    }
    return buf_check(out, "what one layer tells (LIMIT_FACTS_BYTES)", err);
}

static void decode_reader(struct unpack *in, struct fact *fact)
{
    fact->reader = inventory_reader_named(unpack_text(in));
    in->failed |= !fact->reader;
}

static void decode_file(struct unpack *in, struct fact *fact)
{
    decode_reader(in, fact);
    fact->as = unpack_text(in);
    fact->failed = (enum err_code)unpack_up_to(in, ERR_CODE_COUNT - 1);
    *(fact->failed ? &fact->why : &fact->payload) = unpack_text(in);
}

static int decode_fact(struct unpack *in, struct fact *ret, struct arena *arena, struct err *err)
{
    struct fact fact = {.kind = (enum fact_kind)unpack_up_to(in, FACT_KIND_COUNT - 1)};
    int failed = 0;

    fact.path = unpack_text(in);
    if (fact.kind == FACT_LINK || fact.kind == FACT_SAME)
        fact.target = unpack_text(in);
    if (fact.kind == FACT_SAME)
        decode_reader(in, &fact);
    else if (fact.kind == FACT_BESIDE)
        fact.empty = unpack_up_to(in, 1) == 0;
    else if (fact.kind == FACT_FILE)
        decode_file(in, &fact);
    if (in->failed)
        return damaged(err);
    if (fact.kind == FACT_FILE && !fact.failed) {
        failed = check_payload(fact.payload, arena, err);
        arena_reset(arena);
    }
    *ret = fact;
    return failed;
}

/* In order, and one at a place but for those that hide in lower layers: what layer_facts_settle()
 * leaves.
 */
static bool follows(const struct fact *before, const struct fact *fact)
{
    int order = layer_facts_compare_paths(before->path, fact->path);

    return order < 0 ||
           (order == 0 && (before->kind == FACT_HIDDEN || before->kind == FACT_OPAQUE));
}

static int decode_all(struct unpack *in, struct layer_facts *facts, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    size_t count = unpack_count(in, 2);

    arena_init(&arena, "what one file tells (LIMIT_FACTS_BYTES)", 2 * LIMIT_FACTS_BYTES);
    if (in->failed || count > LIMIT_LAYER_FACTS)
        return damaged(err);
    if (array_reserve(&facts->at, &facts->cap, count, sizeof(*facts->at), err) < 0)
        return -1;
    for (; facts->count < count; facts->count++) {
        struct fact *fact = &facts->at[facts->count];

        if (decode_fact(in, fact, &arena, err) < 0)
            return -1;
        if (facts->count && !follows(fact - 1, fact))
            return damaged(err);
    }
    return in->rest.len ? damaged(err) : 0;
}

int layer_facts_check(struct slice bytes, struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    struct unpack in = {.rest = bytes};

    if (bytes.len < SHA256_BYTES || !slice_starts_with(bytes, magic.ptr))
        return damaged(err);
    in.rest = slice_sub(bytes, 0, bytes.len - SHA256_BYTES);
    sha256(in.rest, digest);
    if (memcmp(digest, bytes.ptr + in.rest.len, SHA256_BYTES) != 0)
        return damaged(err);
    in.rest = slice_skip(in.rest, magic.len);
    if (unpack_number(&in) != FACTS_FORMAT || unpack_number(&in) != INVENTORY_VERSION)
        return err_set(err, ERR_CORRUPT, "the facts of a layer are of another version");
    return 0;
}

int layer_facts_decode_checked(struct slice bytes, struct layer_facts *ret, struct err *err)
{
    struct unpack in = {.rest = slice_sub(bytes, 0, bytes.len - SHA256_BYTES)};
    struct layer_facts facts;

    in.rest = slice_skip(in.rest, magic.len);
    unpack_number(&in);
    unpack_number(&in);
    layer_facts_init(&facts);
    if (decode_all(&in, &facts, err) < 0) {
        layer_facts_release(&facts);
        return -1;
    }
    *ret = facts;
    return 0;
}

int layer_facts_decode(struct slice bytes, struct layer_facts *ret, struct err *err)
{
    return layer_facts_check(bytes, err) < 0 ? -1 : layer_facts_decode_checked(bytes, ret, err);
}
