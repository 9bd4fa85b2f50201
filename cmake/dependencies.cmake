# SPDX-License-Identifier: Apache-2.0
# Third-party libraries; each is included by exactly one wrapper (docs/architecture.md, Libraries).
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
set(MICROHTTPD_LIBRARIES PkgConfig::MICROHTTPD)
# libmicrohttpd speaks TLS through it; a certificate is replaced in its own words.
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls>=3.7)
set(GNUTLS_LIBRARIES PkgConfig::GNUTLS)

pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)
set(CURL_LIBRARIES PkgConfig::CURL)

pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
set(ZSTD_LIBRARIES PkgConfig::ZSTD)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
set(SECCOMP_LIBRARIES PkgConfig::SECCOMP)

pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
set(INIH_LIBRARIES PkgConfig::INIH)

# Debian's libroaring has no pkg-config file.
find_path(ROARING_INCLUDE_DIR roaring/roaring.h REQUIRED)
find_library(ROARING_LIBRARIES roaring REQUIRED)

# isa-l inflates about twice as fast as zlib, but is not built for every machine.
pkg_check_modules(ISAL IMPORTED_TARGET libisal)
if(ISAL_FOUND)
  set(ISAL_LIBRARIES PkgConfig::ISAL)
  add_compile_definitions(CAREEN_HAVE_ISAL=1)
else()
  set(ISAL_LIBRARIES "")
  add_compile_definitions(CAREEN_HAVE_ISAL=0)
endif()
