# SPDX-License-Identifier: Apache-2.0

# careen_room(NAME [LINK room...] [PRIVATE library...]): src/NAME/**/*.c as the library careen_NAME.
function(careen_room name)
  cmake_parse_arguments(ROOM "" "" "LINK;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
  if(NOT sources)
    message(STATUS "room ${name} is empty")
    add_library(careen_${name} INTERFACE)
    foreach(room ${ROOM_LINK})
      target_link_libraries(careen_${name} INTERFACE careen_${room})
    endforeach()
    return()
  endif()
  add_library(careen_${name} STATIC ${sources})
  target_include_directories(careen_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(careen_${name} PUBLIC careen_flags Threads::Threads)
  foreach(room ${ROOM_LINK})
    target_link_libraries(careen_${name} PUBLIC careen_${room})
  endforeach()
  target_link_libraries(careen_${name} PRIVATE ${ROOM_PRIVATE})
endfunction()

# src/ROOM/x.c is tested by tests/unit/ROOM/x_test.c: one cmocka program and one ctest entry each.
function(careen_unit_tests)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  file(GLOB_RECURSE tests RELATIVE ${CMAKE_SOURCE_DIR}/tests/unit CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
  foreach(test ${tests})
    get_filename_component(room ${test} DIRECTORY)
    get_filename_component(stem ${test} NAME_WE)
    set(target ${room}_${stem})
    add_executable(${target} tests/unit/${test})
    target_link_libraries(${target} PRIVATE careen_${room} PkgConfig::CMOCKA)
    target_include_directories(${target} PRIVATE
      ${CMAKE_SOURCE_DIR}/tests/unit ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(${target} PRIVATE
      CAREEN_TEST_SOURCE_DIR="${CMAKE_SOURCE_DIR}/tests")
    add_test(NAME ${room}/${stem} COMMAND ${target})
    set_tests_properties(${room}/${stem} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
  endforeach()
endfunction()

# tests/fuzz/X_fuzz.c with its corpus in tests/fuzz/corpus/X/. The first line of the file names its room:
# // room: sbom
function(careen_fuzz_targets)
  file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c)
  foreach(source ${targets})
    get_filename_component(stem ${source} NAME_WE)
    file(STRINGS ${source} room LIMIT_COUNT 1 REGEX "^// room: ")
    string(REGEX REPLACE "^// room: " "" room "${room}")
    add_executable(${stem} ${source})
    target_compile_options(${stem} PRIVATE -fsanitize=fuzzer -Wno-missing-prototypes)
    target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${stem} PRIVATE careen_${room})
    target_include_directories(${stem} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  endforeach()
endfunction()

# tests/preload/x.c: a library libx.so that tests put in front of the main binary with LD_PRELOAD.
function(careen_test_preloads)
  file(GLOB libraries CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/preload/*.c)
  foreach(source ${libraries})
    get_filename_component(stem ${source} NAME_WE)
    add_library(${stem} MODULE ${source})
    target_compile_options(${stem} PRIVATE -std=gnu11 -Wall -Wextra)
    target_compile_definitions(${stem} PRIVATE _GNU_SOURCE)
    target_link_libraries(${stem} PRIVATE ${CMAKE_DL_LIBS})
  endforeach()
endfunction()

# tests/tools/x.c: a program that tests of whole rooms run (a dump of what a reader made of a document).
# Its first line names its room, as a fuzz target's does. Built beside the main binary, under its own name.
function(careen_test_tools)
  file(GLOB tools CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tools/*.c)
  foreach(source ${tools})
    get_filename_component(stem ${source} NAME_WE)
    file(STRINGS ${source} room LIMIT_COUNT 1 REGEX "^// room: ")
    string(REGEX REPLACE "^// room: " "" room "${room}")
    add_executable(${stem} ${source})
    target_link_libraries(${stem} PRIVATE careen_${room})
    target_include_directories(${stem} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  endforeach()
endfunction()

# bench/engine/: world.c is shared, every other file is a program, bench-fill from fill.c.
# bench/peers/sqlite.c asks SQLite, and knows nothing of Careen.
function(careen_bench_programs)
  file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/engine/*.c)
  list(REMOVE_ITEM programs ${CMAKE_SOURCE_DIR}/bench/engine/world.c)
  foreach(source ${programs})
    get_filename_component(stem ${source} NAME_WE)
    add_executable(bench-${stem} ${source} bench/engine/world.c)
    target_link_libraries(bench-${stem} PRIVATE careen_fleet m)
  endforeach()
  add_executable(bench-sqlite bench/peers/sqlite.c)
  target_link_libraries(bench-sqlite PRIVATE SQLite::SQLite3)
endfunction()
