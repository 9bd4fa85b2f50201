/* SPDX-License-Identifier: Apache-2.0 */
/* See prometheus.h. Numbers are written as whole ones or millionths: no float is rounded. */
#include "api/prometheus.h"

#include "base/utf8.h"

#include <stdio.h>

static void put_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void prom_counter(struct buf *out, const char *name, const char *help)
{
    put_family(out, name, "counter", help);
}

void prom_gauge(struct buf *out, const char *name, const char *help)
{
    put_family(out, name, "gauge", help);
}

void prom_histogram(struct buf *out, const char *name, const char *help)
{
    put_family(out, name, "histogram", help);
}

/* Backslash, quote and line feed are escaped, which is all that the format asks for. */
static void put_label_value(struct buf *out, struct slice value)
{
    while (value.len) {
        size_t len = utf8_sequence(value);

        if (len == 1 && (*value.ptr == '\\' || *value.ptr == '"'))
            buf_put_char(out, '\\');
        if (len == 1 && *value.ptr == '\n')
            buf_put_cstr(out, "\\n");
        else
            buf_put(out, value.ptr, len);
        value = slice_skip(value, len ? len : 1);
    }
}

static void put_label(struct buf *out, char before, const char *name, struct slice value)
{
    buf_put_char(out, before);
    buf_put_cstr(out, name);
    buf_put_cstr(out, "=\"");
    put_label_value(out, value);
    buf_put_char(out, '"');
}

/* Up to and with the blank before the value. */
static void put_name(struct buf *out, const char *name, const struct prom_label *labels)
{
    char before = '{';

    buf_put_cstr(out, name);
    for (; labels && labels->name; labels++, before = ',')
        put_label(out, before, labels->name, labels->value);
    buf_put_cstr(out, before == ',' ? "} " : " ");
}

void prom_sample(struct buf *out, const char *name, const struct prom_label *labels, uint64_t value)
{
    put_name(out, name, labels);
    buf_put_u64(out, value);
    buf_put_char(out, '\n');
}

/* "-0.5", "12", "0.00005": no digits that say nothing. */
static void put_micro(struct buf *out, int64_t value)
{
    uint64_t size = value < 0 ? (uint64_t)-value : (uint64_t)value;
    char digits[16];
    int len = snprintf(digits, sizeof(digits), ".%06u", (unsigned)(size % 1000000));

    while (len > 0 && (digits[len - 1] == '0' || digits[len - 1] == '.'))
        len--;
    if (value < 0)
        buf_put_char(out, '-');
    buf_put_u64(out, size / 1000000);
    buf_put(out, digits, (size_t)len);
}

void prom_sample_micro(
    struct buf *out, const char *name, const struct prom_label *labels, int64_t value)
{
    put_name(out, name, labels);
    put_micro(out, value);
    buf_put_char(out, '\n');
}

void prom_counter_of(struct buf *out, const char *name, const char *help, uint64_t value)
{
    prom_counter(out, name, help);
    prom_sample(out, name, NULL, value);
}

void prom_gauge_of(struct buf *out, const char *name, const char *help, uint64_t value)
{
    prom_gauge(out, name, help);
    prom_sample(out, name, NULL, value);
}

static void put_bucket(struct buf *out, const char *name, const struct prom_label *label,
    struct slice bound, uint64_t at_most)
{
    buf_put_cstr(out, name);
    buf_put_cstr(out, "_bucket");
    put_label(out, '{', label->name, label->value);
    put_label(out, ',', "le", bound);
    buf_put_cstr(out, "} ");
    buf_put_u64(out, at_most);
    buf_put_char(out, '\n');
}

void prom_sample_buckets(struct buf *out, const char *name, const struct prom_label *label,
    const struct prom_buckets *buckets)
{
    struct buf text = BUF_INIT(128);
    uint64_t at_most = 0;

    for (size_t i = 0; i < buckets->count; i++) {
        at_most += buckets->counts[i];
        buf_clear(&text);
        put_micro(&text, buckets->bounds_us[i]);
        put_bucket(out, name, label, buf_slice(&text), at_most);
    }
    at_most += buckets->counts[buckets->count];
    put_bucket(out, name, label, SLICE("+Inf"), at_most);
    buf_clear(&text);
    buf_printf(&text, "%s_sum", name);
    prom_sample_micro(out, buf_slice(&text).ptr, label, (int64_t)buckets->sum_us);
    buf_clear(&text);
    buf_printf(&text, "%s_count", name);
    prom_sample(out, buf_slice(&text).ptr, label, at_most);
    buf_release(&text);
}
