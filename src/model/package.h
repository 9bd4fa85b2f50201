/* SPDX-License-Identifier: Apache-2.0 */
/* A package: stored once, by identity, however many images hold it. */
#ifndef CAREEN_MODEL_PACKAGE_H
#define CAREEN_MODEL_PACKAGE_H

#include "base/err.h"
#include "model/words.h"

/* All fields together are the identity; what is not known is empty. */
struct package {
    struct slice ecosystem;   /* a purl type: "deb", "rpm", "apk", "npm", "pypi", "golang", ... */
    struct slice release;     /* of OS packages: "debian-12", "alpine-3.19", "euleros-2.0-sp9" */
    struct slice channel;     /* repository class: "", "esm-apps", ...; empty in reports */
    struct slice name;        /* with its namespace: "org.apache.tomcat:tomcat", "@babel/core" */
    struct slice version;     /* "[epoch:]version[-release]"; an epoch of 0 is left out */
    struct slice arch;        /* as the distribution writes it: "amd64", "x86_64", "noarch" */
    struct slice module;      /* modularity label or stream */
    struct slice source_name; /* empty when it is the same as name, or not known */
    struct slice source_version; /* likewise */
};

/* Are all texts fit for their fields (model/name.h), and the needed ones there: name and ecosystem?
 * ERR_INVALID with the name. */
int package_check(const struct package *package, struct err *err);
/* Empties source_name and source_version where they say what name and version say. */
void package_tidy(struct package *package);
/* The length of the epoch that stands in front of a version, with its colon, and the epoch; 0, with
 * *ret untouched, when there is none. */
size_t version_epoch(struct slice version, uint64_t *ret);

/* OS packages make linux_vul findings, all others app_vul (deb, rpm, apk, alpm, portage, ...). */
enum vul_type package_vul_type(struct slice ecosystem);

#endif
