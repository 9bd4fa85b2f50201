/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabularies: wire names as the contract has them, and found again whatever is asked. */
#include "unit.h"

#include "death.h"
#include "model/words.h"

static const struct {
    const struct words *words;
    int count;
    const char *names; /* in the order of the enum, by words_list */
} vocabularies[] = {
    {&image_type_words, IMAGE_TYPE_COUNT, "local, registry, cicd or cluster"},
    {&image_type_rows, IMAGE_TYPE_COUNT, "local_image, registry, cicd or cluster"},
    {&vul_type_words, VUL_TYPE_COUNT, "app_vul or linux_vul"},
    {&necessity_words, NECESSITY_COUNT, "Low, Medium, High or Critical"},
    {&vul_status_words, VUL_STATUS_COUNT, "vul_status_unfix or vul_status_ignored"},
    {&severity_words, SEVERITY_COUNT, "unknown, negligible, low, medium, high or critical"},
    {&source_words, SOURCE_COUNT, "careen, trivy, grype or sbom"},
    {&assessment_words, ASSESSMENT_COUNT, "assessed, partly_assessed or not_assessed"},
    {&role_words, ROLE_COUNT, "viewer, operator or admin"},
};

static void names_of_the_contract(void **state)
{
    char list[200];

    (void)state;
    for (size_t i = 0; i < sizeof(vocabularies) / sizeof(*vocabularies); i++) {
        assert_int_equal(vocabularies[i].words->count, vocabularies[i].count);
        assert_ptr_equal(words_list(vocabularies[i].words, list, sizeof(list)), list);
        assert_string_equal(list, vocabularies[i].names);
    }
    assert_string_equal(words_name(&image_type_words, IMAGE_CLUSTER), "cluster");
    assert_string_equal(words_name(&vul_type_words, VUL_LINUX), "linux_vul");
    assert_string_equal(words_name(&necessity_words, NECESSITY_CRITICAL), "Critical");
    assert_string_equal(words_name(&vul_status_words, STATUS_IGNORED), "vul_status_ignored");
    assert_string_equal(words_name(&severity_words, SEVERITY_CRITICAL), "critical");
    assert_string_equal(words_name(&source_words, SOURCE_GRYPE), "grype");
    assert_string_equal(words_name(&assessment_words, ASSESSMENT_PARTLY), "partly_assessed");
    assert_string_equal(words_name(&role_words, ROLE_OPERATOR), "operator");
}

static void found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vocabularies) / sizeof(*vocabularies); i++) {
        const struct words *words = vocabularies[i].words;

        for (int value = 0; value < words->count; value++) {
            struct slice name = slice_of(words_name(words, value));

            assert_int_equal(words_find(words, name), value);
            assert_int_equal(words_find_nocase(words, name), value);
            assert_int_equal(words_find(words, slice_sub(name, 0, name.len - 1)), -1);
            assert_int_equal(words_find(words, (struct slice){name.ptr, name.len + 1}), -1);
        }
        assert_int_equal(words_find(words, SLICE_NONE), -1);
        assert_int_equal(words_find_nocase(words, SLICE_NONE), -1);
        assert_dies((void)words_name(words, -1));
        assert_dies((void)words_name(words, words->count));
    }
}

static void case_matters_or_not(void **state)
{
    (void)state;
    assert_int_equal(words_find(&severity_words, SLICE("HIGH")), -1);
    assert_int_equal(words_find_nocase(&severity_words, SLICE("HIGH")), SEVERITY_HIGH);
    assert_int_equal(words_find_nocase(&severity_words, SLICE("hIgH")), SEVERITY_HIGH);
    assert_int_equal(words_find(&necessity_words, SLICE("high")), -1);
    assert_int_equal(words_find_nocase(&severity_words, SLICE("hi\0h")), -1);
    assert_int_equal(words_find_nocase(&severity_words, SLICE("high\0")), -1);
}

static void lists_fit(void **state)
{
    char list[12];

    (void)state;
    for (size_t cap = 1; cap <= sizeof(list); cap++) {
        memset(list, 'x', sizeof(list));
        words_list(&image_type_words, list, cap);
        assert_int_equal(strlen(list), cap - 1);
        assert_memory_equal(list, "local, regis", cap - 1);
    }
}

static void necessity(void **state)
{
    (void)state;
    assert_int_equal(necessity_of(SEVERITY_UNKNOWN), NECESSITY_MEDIUM);
    assert_int_equal(necessity_of(SEVERITY_NEGLIGIBLE), NECESSITY_LOW);
    assert_int_equal(necessity_of(SEVERITY_LOW), NECESSITY_LOW);
    assert_int_equal(necessity_of(SEVERITY_MEDIUM), NECESSITY_MEDIUM);
    assert_int_equal(necessity_of(SEVERITY_HIGH), NECESSITY_HIGH);
    assert_int_equal(necessity_of(SEVERITY_CRITICAL), NECESSITY_CRITICAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_contract),
        cmocka_unit_test(found_again),
        cmocka_unit_test(case_matters_or_not),
        cmocka_unit_test(lists_fit),
        cmocka_unit_test(necessity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
