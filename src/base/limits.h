/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every ceiling of Careen, with a sentence each. Hitting one is ERR_LIMIT, and the message names
 * the limit. Those marked (setting) are defaults that the configuration may change.
 */
#ifndef CAREEN_BASE_LIMITS_H
#define CAREEN_BASE_LIMITS_H

/* JSON: nesting of arrays and objects; Trivy's deepest report stays under 20. */
#define LIMIT_JSON_DEPTH 128
/* JSON: bytes of one decoded string that a reader asks for; skipped strings may be longer. */
#define LIMIT_JSON_STRING_BYTES (1024 * 1024)
/* JSON: characters of one number. */
#define LIMIT_JSON_NUMBER_CHARS 400

/* A report body over HTTP, as sent (setting `max_report_bytes`). */
#define LIMIT_REPORT_BODY_BYTES (64L * 1024 * 1024)
/* A report after decompression. */
#define LIMIT_REPORT_BYTES (4L * 1024 * 1024 * 1024)
/* The same over HTTP: at most this many times `max_report_bytes`. */
#define LIMIT_REPORT_EXPANSION 16
/* Decompression: once more than this came out, it may be at most so many times what went in: a gzip
 * bomb stops here. Reports are packed 10 to 40 times smaller; gzip at its best, 1030 times. */
#define LIMIT_GUNZIP_FREE_BYTES (16L * 1024 * 1024)
#define LIMIT_GUNZIP_RATIO 200
/* Memory for the texts of one report (the arena of struct report). With the two limits below, an
 * import in flight stays under 64 MiB, however large its file is, beside what the process has
 * anyway: the database's page cache (32 MiB at most) and the index. */
#define LIMIT_REPORT_MEMORY_BYTES (24UL * 1024 * 1024)
/* Distinct packages of one image. */
#define LIMIT_IMAGE_PACKAGES 50000
/* Distinct claims (package x vulnerability) of one report. */
#define LIMIT_IMAGE_CLAIMS 100000
/* Findings of one image: the index counts them in 16 bits for each code. */
#define LIMIT_IMAGE_FINDINGS 65535
/* Aliases and covered ids of one vulnerability record; of more aliases than the second, none
 * merges. */
#define LIMIT_RECORD_NAMES 1024
#define LIMIT_RECORD_ALIASES 32
/* Code points of an id or name in a request: project, enterprise project, registry, vulnerability
 * (contract, section 1.2). */
#define LIMIT_ID_CHARS 256
#define LIMIT_CLUSTER_ID_CHARS 128
/* Code points of a name: package, version, vulnerability, tag, registry, cluster, organization. */
#define LIMIT_NAME_CHARS 512
/* Code points of an image name (contract, section 1.3). */
#define LIMIT_IMAGE_NAME_CHARS 512
/* Containers of one image (contract, section 8.1). */
#define LIMIT_CONTAINERS 2147483547L

/* Decisions: ids of vulnerabilities, and of images, in one request of an operation; decisions that
 * one operation may make; code points of a remark (contract, section 5.1). */
#define LIMIT_DECISION_VULNS 100000
#define LIMIT_DECISION_IMAGES 100000
#define LIMIT_DECISIONS_AT_ONCE 10000
#define LIMIT_REMARK_CHARS 512
/* Decisions in force in one project: each costs memory, and a look at each image that it names. */
#define LIMIT_DECISIONS_IN_FORCE 100000
/* Finding out what an operation is about: it has the turn to write meanwhile, and others wait for
 * that LIMIT_WRITER_WAIT_MS at most. */
#define LIMIT_DECIDING_MS 4000
/* HTTP: the JSON body of an operation: 100,000 image ids. */
#define LIMIT_OPERATION_BYTES (8L * 1024 * 1024)

/* The configuration file. */
#define LIMIT_SETTINGS_FILE_BYTES (256 * 1024)

/* How long a writer waits for another one before it gives up. */
#define LIMIT_WRITER_WAIT_MS 5000
/* Work in one store transaction before it is committed, in milliseconds. */
#define LIMIT_TRANSACTION_MS 50

/* HTTP: request line and headers, in bytes; connections in all and from one address. */
#define LIMIT_HTTP_URI_BYTES (32 * 1024)
#define LIMIT_HTTP_HEADER_BYTES (128 * 1024)
/* HTTP: one header, its name and value together. */
#define LIMIT_HTTP_ONE_HEADER_BYTES (32 * 1024)
#define LIMIT_HTTP_CONNECTIONS 1024
#define LIMIT_HTTP_CONNECTIONS_PER_ADDRESS 512
/* HTTP: seconds for a request's headers, for its body, and that a connection may idle. */
#define LIMIT_HTTP_HEADER_S 15
#define LIMIT_HTTP_BODY_S 300
#define LIMIT_HTTP_IDLE_S 75
/* HTTP: a body that is read and ignored (a GET's). */
#define LIMIT_HTTP_IGNORED_BODY_BYTES (12L * 1024 * 1024)
/* HTTP: a JSON body that is no report: a login, a change of an image. */
#define LIMIT_DOCUMENT_BYTES (64L * 1024)
/* HTTP: requests that wait for a worker thread; one more is told to come back later. */
#define LIMIT_HTTP_WAITING 128
/* HTTP: how many of these one caller may have. */
#define LIMIT_HTTP_WAITING_OF_ONE 96
/* HTTP: memory that a handler may take from its request's arena. */
#define LIMIT_HTTP_REQUEST_MEMORY_BYTES (16UL * 1024 * 1024)
/* HTTP: one rendered answer. 200 rows with every field at its documented maximum, escaped. */
#define LIMIT_HTTP_RESPONSE_BYTES (32UL * 1024 * 1024)

/* Request signatures: bytes of an Authorization header; the SDKs' stay under 500. */
#define LIMIT_SIGNATURE_HEADER_BYTES 4096
/* Characters of a derived key's scope, "YYYYMMDD/<region>/<service>". */
#define LIMIT_SIGNATURE_SCOPE_CHARS 256
/* Headers that a request signs, and characters of one's name; the SDKs sign up to seven. */
#define LIMIT_SIGNED_HEADERS 64
#define LIMIT_SIGNED_NAME_CHARS 128
#define LIMIT_ACCESS_KEY_CHARS 128
/* A canonical request: three times the longest target (every byte escaped) and all headers. */
#define LIMIT_CANONICAL_REQUEST_BYTES (256 * 1024)

/* Callers whose requests are counted, and addresses whose refused ones are (settings
 * `rate_limit_per_user`, `refusals_per_address`): 24 bytes each; beyond, the one that has asked
 * least is forgotten. */
#define LIMIT_THROTTLE_BUCKETS (16 * 1024)

/* Exports under way at once: each holds half a mebibyte, and takes its turns on an event loop. */
#define LIMIT_EXPORTS 32

/* The call's page (contract, section 1.2). */
#define LIMIT_PAGE_MIN 10
#define LIMIT_PAGE_MAX 200
#define LIMIT_OFFSET_MAX 2000000

#endif
