/* SPDX-License-Identifier: Apache-2.0 */
/* One table for Trivy's result types and Syft's package types: no word means two things. */
#include "sbom/ecosystem.h"

static const struct {
    const char *word;
    const char *ecosystem;
} table[] = {
    /* Trivy: what a result was read from */
    {"npm", "npm"},
    {"yarn", "npm"},
    {"pnpm", "npm"},
    {"bun", "npm"},
    {"node-pkg", "npm"},
    {"javascript", "npm"},
    {"pip", "pypi"},
    {"pipenv", "pypi"},
    {"poetry", "pypi"},
    {"uv", "pypi"},
    {"pylock", "pypi"},
    {"python-pkg", "pypi"},
    {"gomod", "golang"},
    {"gobinary", "golang"},
    {"jar", "maven"},
    {"pom", "maven"},
    {"gradle", "maven"},
    {"sbt", "maven"},
    {"bundler", "gem"},
    {"gemspec", "gem"},
    {"cargo", "cargo"},
    {"rustbinary", "cargo"},
    {"composer", "composer"},
    {"composer-vendor", "composer"},
    {"wordpress", "wordpress"},
    {"nuget", "nuget"},
    {"nuget-config", "nuget"},
    {"dotnet-core", "nuget"},
    {"packages-props", "nuget"},
    {"hex", "hex"},
    {"pub", "pub"},
    {"swift", "swift"},
    {"cocoapods", "cocoapods"},
    {"conan", "conan"},
    {"conda-pkg", "conda"},
    {"conda-environment", "conda"},
    {"julia", "julia"},
    {"kubernetes", "k8s"},
    {"eks", "k8s"},
    {"gke", "k8s"},
    {"aks", "k8s"},
    {"rke", "k8s"},
    {"ocp", "k8s"},
    {"bitnami", "bitnami"},
    /* Grype: types of Syft's packages */
    {"deb", "deb"},
    {"rpm", "rpm"},
    {"apk", "apk"},
    {"alpm", "alpm"},
    {"portage", "ebuild"},
    {"java-archive", "maven"},
    {"jenkins-plugin", "maven"},
    {"graalvm-native-image", "maven"},
    {"python", "pypi"},
    {"go-module", "golang"},
    {"gem", "gem"},
    {"rust-crate", "cargo"},
    {"php-composer", "composer"},
    {"php-pear", "pear"},
    {"php-pecl", "pecl"},
    {"dotnet", "nuget"},
    {"dart-pub", "pub"},
    {"pod", "cocoapods"},
    {"conda", "conda"},
    {"hackage", "hackage"},
    {"erlang-otp", "otp"},
    {"R-package", "cran"},
    {"lua-rocks", "luarocks"},
    {"opam", "opam"},
    {"swiplpack", "swiplpack"},
    {"nix", "nix"},
    {"wordpress-plugin", "wordpress-plugin"},
    {"github-action", "github"},
    {"github-action-workflow", "github"},
    {"linux-kernel", "generic"},
    {"linux-kernel-module", "generic"},
    {"msrc-kb", "generic"},
    {"terraform", "terraform"},
    {"homebrew", "brew"},
    {"binary", "generic"},
};

struct slice ecosystem_of(struct slice word)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (slice_is(word, table[i].word))
            return slice_of(table[i].ecosystem);
    return SLICE_NONE;
}
