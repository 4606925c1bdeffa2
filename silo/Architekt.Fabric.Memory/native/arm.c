/* Preloaded into QEMU (LD_PRELOAD): puts the mapping of the guest RAM file under userfaultfd asynchronous write protection
 * (UFFD_FEATURE_WP_ASYNC, Linux 6.7), so that another process can read and reset the written pages with PAGEMAP_SCAN.
 *
 * Environment (all removed once the RAM is armed):
 *   ARCHITEKT_RAM_FILE        the RAM file; every other mapping is left alone, without this variable the library does nothing
 *   ARCHITEKT_RAM_REPORT      file that receives one line "pid address length descriptor\n"; it appears whole or not at all
 *   ARCHITEKT_UFFD_DEVICE_FD  number of an inherited descriptor of /dev/userfaultfd; closed after use (optional)
 *   ARCHITEKT_RAM_LAZY        register missing pages too; somebody else has to fill them then (optional)
 *
 * Any failure prints one line and ends the process with status 97: a guest whose writes go unseen must not run. */
#define _GNU_SOURCE
#include "lease.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define EXIT_NOT_ARMED 97

/* include/uapi/linux/userfaultfd.h; spelled out because the headers of current distributions predate some of them. */
#define FEATURE_WP_HUGETLBFS_SHMEM (1ULL << 12)
#define FEATURE_WP_UNPOPULATED (1ULL << 13)
#define FEATURE_WP_ASYNC (1ULL << 15)
#define IOC_NEW _IO(0xAA, 0x00)
#define USER_MODE_ONLY 1

/* The system call is made directly below and takes its offset in one register. */
_Static_assert(sizeof(long) == 8 && sizeof(off_t) == 8, "64-bit systems only");

static atomic_flag armed = ATOMIC_FLAG_INIT;

static _Noreturn void fail(const char *what, const char *hint)
{
    dprintf(STDERR_FILENO, "architekt-arm: %s: %s%s%s\n", what, strerror(errno), *hint ? "; " : "", hint);
    _exit(EXIT_NOT_ARMED);
}

static int open_userfaultfd(int lazy)
{
    const int flags = O_CLOEXEC | O_NONBLOCK;
    const char *inherited = getenv("ARCHITEKT_UFFD_DEVICE_FD");
    if (inherited && *inherited) {
        char *end;
        errno = 0;
        long device = strtol(inherited, &end, 10);
        if (errno || *end || device < 0 || device > INT_MAX) {
            errno = EINVAL;
            fail("ARCHITEKT_UFFD_DEVICE_FD is not a descriptor number", "");
        }
        int created = ioctl((int)device, IOC_NEW, flags);
        if (created < 0)
            fail("no userfaultfd from the inherited descriptor ARCHITEKT_UFFD_DEVICE_FD", "it has to be /dev/userfaultfd, opened without close-on-exec");
        close((int)device);
        return created;
    }

    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (device >= 0) {
        int created = ioctl(device, IOC_NEW, flags);
        close(device);
        if (created >= 0)
            return created;
    }

    int created = (int)syscall(SYS_userfaultfd, flags);
    /* Asynchronous write faults are resolved inside the kernel, whoever caused them, so the unprivileged form is enough for them. Missing
     * pages are not: the kernel itself reads into guest RAM, and those faults would fail. */
    if (created < 0 && errno == EPERM && !lazy)
        created = (int)syscall(SYS_userfaultfd, flags | USER_MODE_ONLY);
    if (created < 0)
        fail("no userfaultfd", "give this user access to /dev/userfaultfd, or let it inherit a descriptor (ARCHITEKT_UFFD_DEVICE_FD)");
    return created;
}

static void report(const char *path, const void *address, size_t length, int uffd)
{
    char temporary[PATH_MAX], line[128];
    if (!path || snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary) {
        errno = EINVAL;
        fail("ARCHITEKT_RAM_REPORT is missing or too long", "");
    }
    int size = snprintf(line, sizeof line, "%d %lu %zu %d\n", getpid(), (unsigned long)address, length, uffd);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0 || write(file, line, (size_t)size) != size || close(file) || rename(temporary, path))
        fail("could not write the report named by ARCHITEKT_RAM_REPORT", "its directory has to be writable for this user");
}

static void arm(void *address, size_t length)
{
    int lazy = getenv("ARCHITEKT_RAM_LAZY") != NULL;
    int uffd = open_userfaultfd(lazy); /* stays open: closing it disarms */
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_WP_ASYNC | FEATURE_WP_HUGETLBFS_SHMEM | FEATURE_WP_UNPOPULATED};
    if (ioctl(uffd, UFFDIO_API, &api))
        fail("this kernel has no asynchronous write protection for shared memory", "Linux 6.7 or newer is needed");
    struct uffdio_register range = {
        .range = {.start = (unsigned long)address, .len = length},
        .mode = UFFDIO_REGISTER_MODE_WP | (lazy ? UFFDIO_REGISTER_MODE_MISSING : 0),
    };
    if (ioctl(uffd, UFFDIO_REGISTER, &range))
        fail("could not register the guest RAM with userfaultfd", "");
    architekt_guard_lease(fail);
    report(getenv("ARCHITEKT_RAM_REPORT"), address, length, uffd);
    unsetenv("ARCHITEKT_RAM_FILE");
    unsetenv("ARCHITEKT_RAM_REPORT");
    unsetenv("ARCHITEKT_UFFD_DEVICE_FD");
    unsetenv("ARCHITEKT_RAM_LAZY");
}

/* The variables stay untouched until the RAM turns up: a launcher such as setpriv loads this library too and hands them on. */
static void arm_if_ram(void *mapped, size_t length, int protection, int descriptor, off_t offset)
{
    struct stat wanted, got;
    const char *file = getenv("ARCHITEKT_RAM_FILE");
    if (!file || !(protection & PROT_WRITE) || fstat(descriptor, &got) || stat(file, &wanted) || wanted.st_ino != got.st_ino ||
        wanted.st_dev != got.st_dev || atomic_flag_test_and_set(&armed))
        return;
    if (offset != 0 || length != (size_t)got.st_size) {
        errno = EINVAL;
        fail("only a part of the RAM file is being mapped", "its size has to be the size of the memory backend");
    }
    arm(mapped, length);
}

/* The system call itself instead of dlsym(RTLD_NEXT): dlsym may allocate, and an allocator may map. */
static void *map(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    void *mapped = (void *)syscall(SYS_mmap, address, length, protection, flags, descriptor, offset);
    if (mapped != MAP_FAILED && descriptor >= 0 && (flags & MAP_SHARED) && !(flags & MAP_ANONYMOUS)) {
        int saved = errno;
        arm_if_ram(mapped, length, protection, descriptor, offset);
        errno = saved;
    }
    return mapped;
}

EXPORTED void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    return map(address, length, protection, flags, descriptor, offset);
}

EXPORTED void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    return map(address, length, protection, flags, descriptor, offset);
}
