/* SPDX-License-Identifier: Apache-2.0 */
/* For what must end the process (BUG_ON): it is run in a child, whose end is looked at. */
#ifndef CAREEN_TESTS_DEATH_H
#define CAREEN_TESTS_DEATH_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_dies(statement)                                         \
    do {                                                               \
        int status_at = 0;                                             \
        pid_t child_at = fork();                                       \
        assert_true(child_at >= 0);                                    \
        if (child_at == 0) {                                           \
            struct rlimit no_core_at = {0, 0};                         \
            setrlimit(RLIMIT_CORE, &no_core_at);                       \
            signal(SIGABRT, SIG_DFL);                                  \
            close(STDERR_FILENO);                                      \
            statement;                                                 \
            _exit(0);                                                  \
        }                                                              \
        assert_int_equal(waitpid(child_at, &status_at, 0), child_at);  \
        if (!WIFSIGNALED(status_at) || WTERMSIG(status_at) != SIGABRT) \
            fail_msg("%s does not end the process", #statement);       \
    } while (0)

#endif
