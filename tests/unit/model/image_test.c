/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of images. The expected ids were worked out by another program (SHA-256 of each
 * field, uuid.uuid5 over the row): they are in callers' hands, so a change here is a change of the
 * product.
 */
#include "unit.h"

#include "model/image.h"

#define DIGEST "sha256:d5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cfd5cf"

static struct image an_image(void)
{
    return (struct image){
        .place =
            {
                .enterprise_project = SLICE_INIT("0"),
                .type = IMAGE_REGISTRY,
                .registry_type = SLICE_INIT("Harbor"),
                .registry_name = SLICE_INIT("hub"),
                .organization = SLICE_INIT("org"),
                .cluster_id = SLICE_INIT("c-1"),
                .agent_id = SLICE_INIT("agent-1"),
                .pipeline = SLICE_INIT("build"),
            },
        .name = SLICE_INIT("nginx"),
        .tag = SLICE_INIT("latest"),
        .digest = SLICE_INIT(DIGEST),
        .architecture = SLICE_INIT("amd64"),
    };
}

static void assert_id(const char *project, const struct image *image, const char *expected)
{
    char id[UUID_TEXT_BYTES];

    image_make_id(slice_of(project), image, id);
    assert_string_equal(id, expected);
}

static void ids_are_what_they_were(void **state)
{
    struct image image = an_image();

    (void)state;
    assert_id("default", &image, "b04da968-6bc0-58e7-8ecf-d3d328ede451");
    image.place.type = IMAGE_LOCAL;
    image.digest = SLICE_NONE;
    assert_id("default", &image, "e62d3045-d3be-558c-9aae-311ae54ea221");
    image = an_image();
    image.place.enterprise_project = SLICE("ep-7");
    image.place.type = IMAGE_CICD;
    image.name = SLICE("team/app");
    image.tag = SLICE("1.2.3");
    assert_id("p2", &image, "73dca77b-436f-5395-b7b0-8b01b2c38c6c");
    image.place.type = IMAGE_CLUSTER;
    image.name = SLICE("swr.example.com/team/app");
    assert_id("p2", &image, "577c75bb-336f-527d-8cff-2e3bd9f79fb4");
}

static void line_keys_are_what_they_were(void **state)
{
    struct image image = an_image();
    unsigned char line[16];
    char hex[33];

    (void)state;
    image_line_key(SLICE("default"), &image, line);
    hex_encode(line, sizeof(line), hex);
    assert_string_equal(hex, "4ccaf8cdbbbaa0f7b94b56379e948d84");
}

/* Changes of an image that both keys, one of them or none must see. */
enum { KEEPS = 0, CHANGES_ID = 1, CHANGES_LINE = 2, CHANGES_BOTH = 3 };

struct keys {
    char id[UUID_TEXT_BYTES];
    unsigned char line[16];
};

static struct keys keys_of(const char *project, const struct image *image)
{
    struct keys keys;

    image_make_id(slice_of(project), image, keys.id);
    image_line_key(slice_of(project), image, keys.line);
    return keys;
}

static void assert_change(const char *project, const struct image *changed, int expected)
{
    struct image image = an_image();
    struct keys before = keys_of("default", &image), after = keys_of(project, changed);

    assert_int_equal(strcmp(before.id, after.id) != 0, (expected & CHANGES_ID) != 0);
    assert_int_equal(memcmp(before.line, after.line, 16) != 0, (expected & CHANGES_LINE) != 0);
}

#define ASSERT_FIELD(member, value, expected)              \
    do {                                                   \
        struct image changed_at = an_image();              \
        changed_at.member = (value);                       \
        assert_change("default", &changed_at, (expected)); \
    } while (0)

static void what_is_in_the_keys(void **state)
{
    struct image same = an_image();

    (void)state;
    assert_change("default", &same, KEEPS);
    assert_change("other", &same, CHANGES_BOTH);
    assert_change("", &same, CHANGES_BOTH);
    ASSERT_FIELD(place.enterprise_project, SLICE("ep"), CHANGES_BOTH);
    ASSERT_FIELD(place.enterprise_project, SLICE_NONE, KEEPS);
    ASSERT_FIELD(place.type, IMAGE_LOCAL, CHANGES_BOTH);
    ASSERT_FIELD(place.type, IMAGE_CICD, CHANGES_BOTH);
    ASSERT_FIELD(place.type, IMAGE_CLUSTER, CHANGES_BOTH);
    ASSERT_FIELD(place.registry_name, SLICE("hub2"), CHANGES_BOTH);
    ASSERT_FIELD(name, SLICE("nginx2"), CHANGES_BOTH);
    ASSERT_FIELD(tag, SLICE("1.25"), CHANGES_BOTH);
    ASSERT_FIELD(digest, SLICE_NONE, CHANGES_ID);
    ASSERT_FIELD(digest, SLICE("sha256:0"), CHANGES_ID);
    ASSERT_FIELD(architecture, SLICE("arm64/v8"), CHANGES_LINE);

    ASSERT_FIELD(name, SLICE("docker.io/library/nginx"), KEEPS);
    ASSERT_FIELD(name, SLICE("index.docker.io/nginx"), KEEPS);
    ASSERT_FIELD(name, SLICE("library/nginx"), KEEPS);
    ASSERT_FIELD(tag, SLICE_NONE, KEEPS);

    /* What describes the place, or is another type's place, is no part of the identity. */
    ASSERT_FIELD(place.registry_type, SLICE("Jfrog"), KEEPS);
    ASSERT_FIELD(place.organization, SLICE("org2"), KEEPS);
    ASSERT_FIELD(place.cluster_id, SLICE("c-2"), KEEPS);
    ASSERT_FIELD(place.cluster_name, SLICE("prod"), KEEPS);
    ASSERT_FIELD(place.agent_id, SLICE("agent-2"), KEEPS);
    ASSERT_FIELD(place.pipeline, SLICE("deploy"), KEEPS);
    ASSERT_FIELD(place.containers, 7, KEEPS);
    ASSERT_FIELD(config_digest, SLICE("sha256:1"), KEEPS);
    ASSERT_FIELD(os_release, SLICE("debian-12"), KEEPS);
    ASSERT_FIELD(number, 5, KEEPS);
    ASSERT_FIELD(latest_scan_ms, 5, KEEPS);
}

/* No text can reach into its neighbour, whatever it holds. */
static void fields_are_apart(void **state)
{
    struct image a = an_image(), b = an_image();
    struct keys of_a, of_b;

    (void)state;
    a.place.registry_name = SLICE("hub");
    a.name = SLICE("anginx");
    b.place.registry_name = SLICE("huba");
    b.name = SLICE("nginx");
    of_a = keys_of("default", &a);
    of_b = keys_of("default", &b);
    assert_string_not_equal(of_a.id, of_b.id);
    assert_memory_not_equal(of_a.line, of_b.line, 16);
    a.tag = SLICE("1\0" DIGEST);
    a.digest = SLICE_NONE;
    b = a;
    b.tag = SLICE("1");
    b.digest = SLICE("\0" DIGEST);
    assert_string_not_equal(keys_of("default", &a).id, keys_of("default", &b).id);
}

static void where(void **state)
{
    struct image image = an_image();

    (void)state;
    assert_slice(image_where(&image.place), "hub");
    image.place.type = IMAGE_LOCAL;
    assert_slice(image_where(&image.place), "agent-1");
    image.place.type = IMAGE_CICD;
    assert_slice(image_where(&image.place), "build");
    image.place.type = IMAGE_CLUSTER;
    assert_slice(image_where(&image.place), "c-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_what_they_were),
        cmocka_unit_test(line_keys_are_what_they_were),
        cmocka_unit_test(what_is_in_the_keys),
        cmocka_unit_test(fields_are_apart),
        cmocka_unit_test(where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
