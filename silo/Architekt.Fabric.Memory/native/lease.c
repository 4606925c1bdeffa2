/* Preloaded into QEMU together with arm.c: a dead man's switch for a guest that may run only as long as its lease lasts.
 *
 * A POSIX timer on CLOCK_BOOTTIME sends SIGKILL to QEMU itself, and only the peer puts it off. The kernel keeps the time, so the switch needs nobody's
 * help: not the peer, which may be stopped or gone, and not QEMU's own threads. The clock goes on while the machine is suspended, and the signal takes
 * effect before any thread of a stopped or frozen process runs again (signal(7), time_namespaces(7)). So once the time has come, no instruction of the guest is executed.
 *
 * ARCHITEKT_LEASE_FD is one end of a stream. Each message is 8 bytes: the time on CLOCK_BOOTTIME at which QEMU is to end, in nanoseconds, in the byte
 * order of the machine; 0 turns the switch off. It is sent back once it counts. When the other end closes, the switch stays as it is. */
#define _GNU_SOURCE
#include "lease.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static timer_t timer;
static int channel;

static int transfer(int64_t *message, int is_write)
{
    size_t done = 0;
    while (done < sizeof *message) {
        char *rest = (char *)message + done;
        ssize_t count = is_write ? write(channel, rest, sizeof *message - done) : read(channel, rest, sizeof *message - done);
        if (count <= 0) {
            if (count < 0 && errno == EINTR)
                continue;
            return 0;
        }
        done += (size_t)count;
    }
    return 1;
}

static void *follow(void *unused)
{
    int64_t end;
    while (transfer(&end, 0)) {
        struct itimerspec at = {.it_value = {.tv_sec = end / SECOND, .tv_nsec = end % SECOND}};
        /* Not confirmed if it does not count: the peer then ends this process. */
        if (timer_settime(timer, TIMER_ABSTIME, &at, NULL) || !transfer(&end, 1))
            break;
    }
    return unused;
}

void architekt_guard_lease(void (*fail)(const char *what, const char *hint))
{
    const char *inherited = getenv("ARCHITEKT_LEASE_FD");
    if (!inherited || !*inherited)
        return;
    char *rest;
    errno = 0;
    long descriptor = strtol(inherited, &rest, 10);
    if (errno || *rest || descriptor < 0 || descriptor > INT_MAX) {
        errno = EINVAL;
        fail("ARCHITEKT_LEASE_FD is not a descriptor number", "");
    }
    channel = (int)descriptor;
    unsetenv("ARCHITEKT_LEASE_FD");

    struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    if (timer_create(CLOCK_BOOTTIME, &kill, &timer))
        fail("no timer for the lease", "");

    /* QEMU takes its signals in threads of its own choice; this is none of them. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    errno = pthread_create(&thread, NULL, follow, NULL);
    if (errno)
        fail("no thread for the lease", "");
    pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
