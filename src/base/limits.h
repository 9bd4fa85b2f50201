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
/* Decompression of zstd: the window, which it keeps in memory; what RFC 8878 asks decoders for. */
#define LIMIT_ZSTD_WINDOW_BYTES (8L * 1024 * 1024)
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

/* Threads that build one project in memory together. */
#define LIMIT_LOAD_THREADS 4
/* Some images while they are being loaded; one with everything at its limit takes 6 MiB. */
#define LIMIT_LOAD_BATCH_BYTES (64UL * 1024 * 1024)

/* HTTP: request line and headers, in bytes; connections in all and from one address. All headers
 * together (setting `max_header_bytes`): the least that the setting allows, too. */
#define LIMIT_HTTP_URI_BYTES (32 * 1024)
#define LIMIT_HTTP_HEADER_BYTES (128 * 1024)
#define LIMIT_HTTP_HEADER_BYTES_MIN (8 * 1024)
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
/* HTTP: requests that wait for their project to be loaded; they take no thread. How long each does,
 * in milliseconds. */
#define LIMIT_HTTP_PARKED 256
#define LIMIT_LOADING_WAIT_MS 5000
/* HTTP: how many of these, and of those, one caller may have. */
#define LIMIT_HTTP_WAITING_OF_ONE 96
/* HTTP: memory that a handler may take from its request's arena. */
#define LIMIT_HTTP_REQUEST_MEMORY_BYTES (16UL * 1024 * 1024)
/* HTTP: one rendered answer. 200 rows with every field at its documented maximum, escaped. */
#define LIMIT_HTTP_RESPONSE_BYTES (32UL * 1024 * 1024)

/* HTTP, as a client: seconds to be connected, and for a request with its answer: importing a large
 * report takes its time. */
#define LIMIT_CLIENT_CONNECT_S 15
#define LIMIT_CLIENT_S 300

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

/* Values of one filter that takes several (`vul_id_in`), on the command line; a query over HTTP has
 * at most 1,000 parameters in all. */
#define LIMIT_FILTER_VALUES 10000

/* The call's page (contract, section 1.2). */
#define LIMIT_PAGE_MIN 10
#define LIMIT_PAGE_MAX 200
#define LIMIT_OFFSET_MAX 2000000

/* Images: layers of one image (docker allows 127), images of one source, and how deep indexes may
 * stand in indexes. */
#define LIMIT_IMAGE_LAYERS 512
#define LIMIT_IMAGE_MANIFESTS 1024
#define LIMIT_IMAGE_INDEX_DEPTH 8
/* Images: indexes and manifests read of one source: they may lead to one place many times. */
#define LIMIT_IMAGE_DOCUMENTS 4096
/* Images: links followed within an archive from a name to its file. */
#define LIMIT_IMAGE_ARCHIVE_LINKS 8
/* Images: one JSON document of them: an index, a manifest, a config, a manifest.json (registries
 * refuse manifests over 4 MiB). */
#define LIMIT_IMAGE_DOCUMENT_BYTES (8L * 1024 * 1024)
/* Images: memory for the texts of one source, and for the names of its archive. */
#define LIMIT_IMAGE_MEMORY_BYTES (16UL * 1024 * 1024)
/* Images: entries of an archive, and its size after decompression, which goes to the disk. */
#define LIMIT_IMAGE_ARCHIVE_ENTRIES 100000
#define LIMIT_IMAGE_ARCHIVE_BYTES (64L * 1024 * 1024 * 1024)

/* Layers: bytes of the tar, holes of sparse files included; its entries. Of the largest that are
 * around (models of machine learning) several times over. */
#define LIMIT_LAYER_BYTES (64L * 1024 * 1024 * 1024)
#define LIMIT_LAYER_ENTRIES 4000000
/* Layers: a bomb stops here, as LIMIT_GUNZIP_*; empty disks in layers are not rare. */
#define LIMIT_LAYER_FREE_BYTES (1024L * 1024 * 1024)
#define LIMIT_LAYER_RATIO 200
/* Layers: a path (PATH_MAX), the parts of one, and the target of a link. */
#define LIMIT_LAYER_PATH_BYTES 4096
#define LIMIT_LAYER_PATH_DEPTH 512
#define LIMIT_LAYER_LINK_BYTES 4096
/* Layers: one file whose content is asked for; of it, what stands in memory. */
#define LIMIT_LAYER_CONTENT_BYTES (1024L * 1024 * 1024)
#define LIMIT_LAYER_CONTENT_MEMORY (1024L * 1024)
/* Package databases: memory for the texts of one, a text one as a whole, and one line of it. The
 * largest text database of a Debian desktop is 6 MB; apk's longest lines are lists of libraries. */
#define LIMIT_INVENTORY_MEMORY_BYTES (24UL * 1024 * 1024)
#define LIMIT_INVENTORY_TEXT_BYTES (256L * 1024 * 1024)
#define LIMIT_INVENTORY_LINE_BYTES (1024 * 1024)
/* A package's licence, which may be a list of dozens; a longer one is not told. */
#define LIMIT_LICENCE_BYTES 4096
/* Licences that one Debian copyright file names; the kernel's names some forty. */
#define LIMIT_LICENCES 128
/* What is read of a Debian copyright file, which has to be less than one line may be: the longest
 * (Chromium's) are near it. */
#define LIMIT_COPYRIGHT_BYTES (1000L * 1000)
/* What is read of os-release and its cousins. */
#define LIMIT_OS_RELEASE_BYTES (64L * 1024)

/* Tar: one extended header (Go's reader allows the same), and the parts of a sparse file. */
#define LIMIT_TAR_HEADER_BYTES (1024L * 1024)
#define LIMIT_TAR_SPARSE_PARTS 65536

/* rpm databases: the header of one package; kernels have 3 MiB, rpm takes 256. */
#define LIMIT_RPM_HEADER_BYTES (32L * 1024 * 1024)
/* SQLite: levels of pages of one table: as many as SQLite itself reads. */
#define LIMIT_SQLITE_DEPTH 20
/* SQLite: pages in a write-ahead log, of which eight bytes each are kept; it rarely has 1000. */
#define LIMIT_SQLITE_WAL_FRAMES 1000000

/* Scans: files that matter in one layer, with the links and whiteouts above them; an image of
 * texlive-full has 3,000 copyright files. What one layer tells, as bytes. */
#define LIMIT_LAYER_FACTS 200000
#define LIMIT_FACTS_BYTES (24UL * 1024 * 1024)
/* Scans: hard links to hard links, and so on: a layer is read again for each; archivers write none.
 * How many entries of a layer hard links may be held against. */
#define LIMIT_HARD_LINK_ROUNDS 8
#define LIMIT_HARD_LINK_STEPS 4000000
/* Scans: hard links of one image to files of lower layers; few tools write any. */
#define LIMIT_LOWER_LINKS 256
/* Scans: databases and their logs, which are read together, in one layer: each may take an open
 * file. */
#define LIMIT_LAYER_DATABASES_KEPT 16
/* Scans: targets under way at once, and done but not told yet: each has a process, or what it
 * found. */
#define LIMIT_SCAN_CHILDREN 64
/* Scans: links followed in resolving one (as the kernel does); how often an image's layers are read
 * anew because links led to new places, and how many such places there may be. */
#define LIMIT_LINKS_FOLLOWED 40
#define LIMIT_SCAN_ROUNDS 6
#define LIMIT_SCAN_ALIASES 256
/* Scans: what the child process sends of one image or layer at once. */
#define LIMIT_SCAN_FRAME_BYTES (32UL * 1024 * 1024)
/* Scans: what it sends of all images of one target, which are held until the last one is done: some
 * 1000 images of 500 packages. Unpacked, packages with short names take seven times as much. */
#define LIMIT_SCAN_FOUND_BYTES (64UL * 1024 * 1024)
/* Scans: layers of one image read at once: each has buffers, and a window of zstd. */
#define LIMIT_SCAN_THREADS 4
/* Scans: seconds for all images of one target; files that its child process may have open, and
 * bytes that it may put into one file of the scratch folder. */
#define LIMIT_SCAN_S 3600
#define LIMIT_SCAN_FILES 256
/* Scans: address space of the child process; most of it is room for the stacks of threads. */
#define LIMIT_SCAN_ADDRESS_BYTES (2L * 1024 * 1024 * 1024)
#define LIMIT_SCAN_SCRATCH_BYTES (64L * 1024 * 1024 * 1024)
/* Scans: the facts that are kept of layers (option --cache-size), and what one may have. */
#define LIMIT_CACHE_BYTES (512L * 1024 * 1024)

#endif
