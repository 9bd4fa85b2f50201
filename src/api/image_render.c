/* SPDX-License-Identifier: Apache-2.0 */
/* See image_render.h. Times are numbers here, in epoch milliseconds: no SDK model stands in the
 * way. */
#include "api/image_render.h"

void image_write_outcome(
    struct buf *out, const struct report *report, const struct put_outcome *outcome)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "image_id", slice_of(outcome->image_id));
    json_write_member(&w, "source", slice_of(words_name(&source_words, (int)report->source)));
    json_write_key(&w, "created");
    json_write_bool(&w, outcome->created);
    json_write_key(&w, "changed");
    json_write_bool(&w, outcome->changed);
    json_write_member(
        &w, "assessment", slice_of(words_name(&assessment_words, (int)outcome->assessment)));
    json_write_member_u64(&w, "packages", outcome->packages);
    json_write_member_u64(&w, "claims", outcome->claims);
    json_write_member_u64(&w, "findings", outcome->findings);
    json_write_member_u64(&w, "appeared", outcome->appeared);
    json_write_member_u64(&w, "retracted", outcome->retracted);
    json_write_end_object(&w);
}

static void write_placement(struct json_writer *w, const struct placement *place)
{
    json_write_member(w, "enterprise_project_id", place->enterprise_project);
    json_write_member(w, "image_type", slice_of(words_name(&image_type_rows, (int)place->type)));
    json_write_member_if(w, "registry_type", place->registry_type);
    json_write_member_if(w, "registry_name", place->registry_name);
    json_write_member_if(w, "organization", place->organization);
    json_write_member_if(w, "cluster_id", place->cluster_id);
    json_write_member_if(w, "cluster_name", place->cluster_name);
    json_write_member_if(w, "agent_id", place->agent_id);
    json_write_member_if(w, "pipeline", place->pipeline);
    if (place->containers >= 0)
        json_write_member_u64(w, "containers", (uint64_t)place->containers);
    if (place->multi_arch >= 0) {
        json_write_key(w, "is_multi_arch");
        json_write_bool(w, place->multi_arch == 1);
    }
}

void image_write_members(struct json_writer *w, const struct image *image)
{
    json_write_member(w, "image_id", slice_of(image->id));
    json_write_member(w, "name", image->name);
    json_write_member_if(w, "version", image->tag);
    json_write_member_if(w, "digest", image->digest);
    json_write_member_if(w, "config_digest", image->config_digest);
    json_write_member_if(w, "os", image->os_release);
    json_write_member_if(w, "architecture", image->architecture);
    if (image->size_bytes >= 0)
        json_write_member_u64(w, "size_bytes", (uint64_t)image->size_bytes);
    write_placement(w, &image->place);
    json_write_member(
        w, "assessment", slice_of(words_name(&assessment_words, (int)image->assessment)));
    json_write_key(w, "latest");
    json_write_bool(w, image->latest);
    json_write_member_u64(w, "first_seen_ms", (uint64_t)image->first_seen_ms);
    json_write_member_u64(w, "latest_scan_ms", (uint64_t)image->latest_scan_ms);
    json_write_member_u64(w, "updated_ms", (uint64_t)image->updated_ms);
}

void image_write_counts(struct json_writer *w, const uint16_t counts[INDEX_CODES])
{
    uint64_t sums[NECESSITY_COUNT] = {0};

    for (unsigned code = 0; code < INDEX_CODES; code++)
        sums[index_code_necessity((uint8_t)code)] += counts[code];
    for (int i = NECESSITY_COUNT - 1; i >= 0; i--)
        json_write_member_u64(w, words_name(&necessity_words, i), sums[i]);
}

/* --- Detail ----------------------------------------------------------------------------------- */

static void write_sources(struct json_writer *w, const struct image_detail *detail)
{
    json_write_key(w, "sources");
    json_write_begin_array(w);
    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (!detail->sources[i].present)
            continue;
        json_write_begin_object(w);
        json_write_member(w, "source", slice_of(words_name(&source_words, i)));
        json_write_key(w, "complete");
        json_write_bool(w, detail->sources[i].complete);
        json_write_member_u64(w, "scanned_ms", (uint64_t)detail->sources[i].scanned_ms);
        json_write_member_u64(w, "packages", detail->sources[i].packages);
        json_write_member_u64(w, "claims", detail->sources[i].claims);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

void package_write_members(struct json_writer *w, const struct package *package)
{
    json_write_member(w, "ecosystem", package->ecosystem);
    json_write_member_if(w, "release", package->release);
    json_write_member_if(w, "channel", package->channel);
    json_write_member(w, "name", package->name);
    json_write_member(w, "version", package->version);
    json_write_member_if(w, "arch", package->arch);
    json_write_member_if(w, "module", package->module);
    json_write_member_if(w, "source_name", package->source_name);
    json_write_member_if(w, "source_version", package->source_version);
}

static void write_package(struct json_writer *w, const struct image_package *entry)
{
    json_write_begin_object(w);
    package_write_members(w, &entry->package);
    json_write_member_u64(w, "first_seen_ms", (uint64_t)entry->first_seen_ms);
    json_write_key(w, "sources");
    json_write_begin_array(w);
    for (unsigned i = 0; i < SOURCE_COUNT; i++)
        if (entry->sources & 1u << i)
            json_write_string(w, slice_of(words_name(&source_words, (int)i)));
    json_write_end_array(w);
    json_write_end_object(w);
}

static void write_claim(
    struct json_writer *w, const struct image_detail *detail, const struct image_claim *claim)
{
    const struct package *package = &detail->packages[claim->package].package;

    json_write_begin_object(w);
    json_write_member(w, "vul_id", claim->vul_id);
    json_write_member(w, "type", slice_of(words_name(&vul_type_words, (int)claim->type)));
    json_write_member(w, "reported_as", claim->reported);
    json_write_member(w, "source", slice_of(words_name(&source_words, (int)claim->source)));
    json_write_member(w, "severity", slice_of(words_name(&severity_words, (int)claim->severity)));
    json_write_member(w, "package", package->name);
    json_write_member(w, "version", package->version);
    json_write_member_if(w, "arch", package->arch);
    json_write_member_if(w, "fixed_version", claim->fixed_version);
    json_write_member_u64(w, "known_ms", (uint64_t)claim->known_ms);
    json_write_end_object(w);
}

void image_write_detail(struct buf *out, const struct image_detail *detail)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    image_write_members(&w, &detail->image);
    write_sources(&w, detail);
    json_write_key(&w, "packages");
    json_write_begin_array(&w);
    for (size_t i = 0; i < detail->package_count; i++)
        write_package(&w, &detail->packages[i]);
    json_write_end_array(&w);
    json_write_key(&w, "vulnerabilities");
    json_write_begin_array(&w);
    for (size_t i = 0; i < detail->claim_count; i++)
        write_claim(&w, detail, &detail->claims[i]);
    json_write_end_array(&w);
    json_write_end_object(&w);
}
