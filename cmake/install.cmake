# SPDX-License-Identifier: Apache-2.0
# What `make install` puts where, below PREFIX. The configuration file goes into /etc for the
# prefixes that the system itself uses, and is left alone where there is one; the unit names the
# program and the file where they are.
install(TARGETS careen RUNTIME DESTINATION bin)
install(FILES dist/careen.sysusers.conf DESTINATION lib/sysusers.d RENAME careen.conf)
install(CODE "set(careen_dist \"${CMAKE_SOURCE_DIR}/dist\")")
install(CODE [[
  if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
    set(etc /etc/careen)
  else()
    set(etc ${CMAKE_INSTALL_PREFIX}/etc/careen)
  endif()

  file(READ ${careen_dist}/careen.service unit)
  string(REPLACE /usr/local/bin/careen ${CMAKE_INSTALL_PREFIX}/bin/careen unit "${unit}")
  string(REPLACE /etc/careen ${etc} unit "${unit}")
  set(unit_file $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/careen.service)
  message(STATUS "Installing: ${unit_file}")
  file(WRITE ${unit_file} "${unit}")

  set(configuration $ENV{DESTDIR}${etc}/careen.conf)
  if(EXISTS ${configuration})
    message(STATUS "Left alone: ${configuration}")
  else()
    file(INSTALL ${careen_dist}/careen.conf DESTINATION ${etc})
  endif()
]])
