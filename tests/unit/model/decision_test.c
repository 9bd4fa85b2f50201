/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision reaches, and copies of it. Which decision wins is the fleet's (decide_test.c). */
#include "unit.h"

#include "model/decision.h"

#define IMAGE_ID "10000000-0000-5000-8000-00000000000a"

static const unsigned char named[][IMAGE_ID_BYTES] = {
    {0x0f}, {0x10, 0, 0, 0, 0, 0, 0x50, 0, 0x80, [15] = 0x0a}, {0x10, 0, 0, 0, 0, 0, 0x50, 1}};

static struct image an_image(void)
{
    return (struct image){.id = IMAGE_ID,
        .name = SLICE("docker.io/library/nginx"),
        .place = {.type = IMAGE_REGISTRY,
            .enterprise_project = SLICE("ep-1"),
            .registry_name = SLICE("hub"),
            .cluster_id = SLICE("c-1")}};
}

static void scopes(void **state)
{
    const struct slice projects[] = {SLICE("0"), SLICE("ep-1")}, others[] = {SLICE("ep-2")};
    const struct {
        struct decision decision;
        bool reaches;
    } cases[] = {
        {{.scope = DECISION_PROJECT, .image_type = -1}, true},
        {{.scope = DECISION_PROJECT, .image_type = IMAGE_REGISTRY}, true},
        {{.scope = DECISION_PROJECT, .image_type = IMAGE_CLUSTER}, false},
        {{.scope = DECISION_REGISTRY, .place = SLICE("hub"), .image_type = -1}, true},
        {{.scope = DECISION_REGISTRY, .place = SLICE("hub2"), .image_type = -1}, false},
        {{.scope = DECISION_CLUSTER, .place = SLICE("c-1"), .image_type = -1}, true},
        {{.scope = DECISION_CLUSTER, .place = SLICE("hub"), .image_type = -1}, false},
        {{.scope = DECISION_REPOSITORY, .place = SLICE("nginx"), .image_type = -1}, true},
        {{.scope = DECISION_REPOSITORY, .place = SLICE("inx"), .image_type = -1}, false},
        {{.scope = DECISION_REPOSITORY, .place = SLICE("library/nginx"), .image_type = -1}, false},
        {{.scope = DECISION_IMAGES, .images = named, .image_count = 3, .image_type = -1}, true},
        {{.scope = DECISION_IMAGES, .images = named, .image_count = 1, .image_type = -1}, false},
        {{.enterprise_projects = projects, .enterprise_project_count = 2, .image_type = -1}, true},
        {{.enterprise_projects = others, .enterprise_project_count = 1, .image_type = -1}, false},
    };
    const struct image image = an_image();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (decision_reaches(&cases[i].decision, &image) != cases[i].reaches)
            fail_msg("case %zu", i);
}

static void copies_own_all_that_they_point_at(void **state)
{
    char text[] = "nginx", project[] = "ep-1";
    uint32_t vulns[] = {3, 9};
    unsigned char images[2][IMAGE_ID_BYTES] = {{1}, {2}};
    struct slice projects[] = {slice_of(project)};
    const struct decision decision = {.number = 7,
        .vulns = vulns,
        .vuln_count = 2,
        .place = slice_of(text),
        .images = (const unsigned char(*)[IMAGE_ID_BYTES])images,
        .image_count = 2,
        .enterprise_projects = projects,
        .enterprise_project_count = 1};
    struct decision copy;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, "a copy", 1UL << 20);
    assert_ok(decision_dup(&arena, &decision, &copy, &err));
    memset(text, 'x', sizeof(text) - 1);
    memset(project, 'x', sizeof(project) - 1);
    memset(vulns, 0, sizeof(vulns));
    memset(images, 0, sizeof(images));
    projects[0] = SLICE_NONE;
    assert_int_equal(copy.number, 7);
    assert_int_equal(copy.vulns[1], 9);
    assert_slice(copy.place, "nginx");
    assert_int_equal(copy.images[1][0], 2);
    assert_slice(copy.enterprise_projects[0], "ep-1");
    arena_release(&arena);
}

static void image_ids_are_ordered_as_bytes(void **state)
{
    unsigned char id[IMAGE_ID_BYTES];
    char text[UUID_TEXT_BYTES];

    (void)state;
    assert_true(image_id_bytes(slice_of(IMAGE_ID), id));
    assert_int_equal(image_id_compare(id, named[1]), 0);
    assert_true(image_id_compare(named[0], id) < 0);
    assert_true(image_id_compare(named[2], id) > 0);
    image_id_format(id, text);
    assert_string_equal(text, IMAGE_ID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(copies_own_all_that_they_point_at),
        cmocka_unit_test(image_ids_are_ordered_as_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
