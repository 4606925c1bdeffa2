/* Preloaded into QEMU together with arm.c: keeps its heap resident.
 *
 * For each device it stops, saves or loads, QEMU makes new memory maps of the machine and frees those before them only after a grace period, so its
 * heap grows by megabytes exactly while the guest stands still; and a thread of its own hands the freed pages back to the kernel with malloc_trim
 * as soon as that is over. Each page then costs a fault and a cleared page at the next migration: about 900 of them, 2 ms and more of the pause.
 * So the heap has its pages from the beginning, and keeps them. Only where ARCHITEKT_RAM_FILE is set, as for arm.c. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define EXPORTED __attribute__((visibility("default")))

enum { RESERVE = 16 << 20, HUGE_PAGE = 2 << 20 };

__attribute__((constructor)) static void reserve(void)
{
    if (!getenv("ARCHITEKT_RAM_FILE"))
        return;
    /* From the top of the heap and not by a mapping of its own, and still there after the free below (mallopt(3)). */
    mallopt(M_MMAP_THRESHOLD, 2 * RESERVE);
    mallopt(M_TRIM_THRESHOLD, 8 * RESERVE);
    void *block = malloc(RESERVE);
    if (block) {
        /* A few faults instead of thousands, where the kernel likes to; it is advice only. */
        uintptr_t first = ((uintptr_t)block + HUGE_PAGE - 1) & ~((uintptr_t)HUGE_PAGE - 1);
        uintptr_t last = ((uintptr_t)block + RESERVE) & ~((uintptr_t)HUGE_PAGE - 1);
        if (first < last)
            madvise((void *)first, last - first, MADV_HUGEPAGE);
        /* Written through a volatile pointer, or the compiler would see that nobody reads it. */
        for (volatile char *page = block; page < (char *)block + RESERVE; page += 4096)
            *page = 0;
        free(block);
    }
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

/* Says that there was nothing to give back. Whoever preloads this library for something else keeps a heap that is never trimmed from inside. */
EXPORTED int malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}
