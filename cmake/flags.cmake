# SPDX-License-Identifier: Apache-2.0
# Language, warnings, hardening and sanitizers: one place for all of them.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(careen_flags INTERFACE)
target_compile_definitions(careen_flags INTERFACE _GNU_SOURCE CAREEN_VERSION="${PROJECT_VERSION}")
target_compile_options(careen_flags INTERFACE
  -include ${CMAKE_SOURCE_DIR}/src/base/banned.h
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wvla
  -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference)
if(CAREEN_WERROR)
  target_compile_options(careen_flags INTERFACE -Werror)
endif()

if(CAREEN_SANITIZE)
  target_compile_options(careen_flags INTERFACE
    -fsanitize=${CAREEN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(careen_flags INTERFACE -fsanitize=${CAREEN_SANITIZE})
else()
  target_compile_options(careen_flags INTERFACE
    $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection>)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(careen_flags INTERFACE $<$<CONFIG:Release>:-fcf-protection>)
  endif()
  target_link_options(careen_flags INTERFACE $<$<CONFIG:Release>:-pie -Wl,-z,relro,-z,now>)
endif()
