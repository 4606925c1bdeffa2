/* Plays QEMU in the tests: maps the RAM file shared, as memory-backend-file does, and obeys one command per line on standard input.
 * Each command is answered with one line: "ok", or what was asked for. Ends at the end of its input.
 *
 *   write PAGE VALUE    fills a page with a byte
 *   poke PAGE OFFSET VALUE   writes one byte
 *   touch PAGE          reads a byte of a page
 *   kernel PAGE         lets the kernel write the page: read(2) from /dev/urandom
 *   start SEED          starts a thread that writes random words all over the RAM as fast as it can
 *   stop                stops that thread and answers with the number of its writes
 *   variables           answers with the number of environment variables that are the arming library's
 *   again               maps the file a second time
 *   disarm FD           closes a descriptor
 *   heap                grows its heap by 8 MiB, gives it back, twice, and answers with the page faults that took */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

extern char **environ;
static unsigned char *ram;
static size_t pages;
static atomic_int running;
static uint64_t seed, written;

static void *write_everywhere(void *unused)
{
    (void)unused;
    uint64_t state = seed | 1;
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        size_t page = (state >> 20) % pages;
        *(volatile uint64_t *)(ram + page * PAGE + (state & 511) * 8) = state;
        written++;
    }
    return NULL;
}

static int count_variables(void)
{
    int count = 0;
    for (char **variable = environ; *variable; variable++)
        count += !strncmp(*variable, "ARCHITEKT_RAM_", 14) || !strncmp(*variable, "ARCHITEKT_UFFD_", 15);
    return count;
}

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static long grow_heap_twice(void)
{
    enum { BLOCKS = 128, BLOCK = 64 << 10 };
    static char *blocks[BLOCKS];
    long before = faults();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++)
            memset(blocks[i] = malloc(BLOCK), round + 1, BLOCK);
        for (int i = 0; i < BLOCKS; i++)
            free(blocks[i]);
        malloc_trim(0); /* as QEMU does */
    }
    return faults() - before;
}

int main(int argc, char **argv)
{
    char line[128];
    unsigned long a, b, c;
    pthread_t writer;
    struct stat status;
    if (argc < 2)
        return 2;
    int partly = argc > 2 && !strcmp(argv[2], "partly");
    int file = open(argv[1], O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &status))
        return 3;
    pages = (size_t)status.st_size / PAGE;
    ram = mmap(NULL, partly ? PAGE : pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (ram == MAP_FAILED)
        return 4;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "write %lu %lu", &a, &b) == 2) {
            memset(ram + a * PAGE, (int)b, PAGE);
        } else if (sscanf(line, "poke %lu %lu %lu", &a, &b, &c) == 3) {
            ram[a * PAGE + b] = (unsigned char)c;
        } else if (sscanf(line, "touch %lu", &a) == 1) {
            (void)*(volatile unsigned char *)(ram + a * PAGE);
        } else if (sscanf(line, "kernel %lu", &a) == 1) {
            int random = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
            ssize_t got = read(random, ram + a * PAGE, PAGE);
            close(random);
            if (got != PAGE) {
                puts("the kernel could not write");
                continue;
            }
        } else if (sscanf(line, "start %lu", &a) == 1) {
            seed = a * 0x9E3779B97F4A7C15ull;
            written = 0;
            atomic_store(&running, 1);
            if (pthread_create(&writer, NULL, write_everywhere, NULL))
                return 5;
        } else if (!strcmp(line, "stop\n")) {
            atomic_store(&running, 0);
            pthread_join(writer, NULL);
            printf("%lu\n", (unsigned long)written);
            continue;
        } else if (!strcmp(line, "variables\n")) {
            printf("%d\n", count_variables());
            continue;
        } else if (!strcmp(line, "again\n")) {
            if (mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED)
                return 6;
        } else if (!strcmp(line, "heap\n")) {
            printf("%ld\n", grow_heap_twice());
            continue;
        } else if (sscanf(line, "disarm %lu", &a) == 1) {
            close((int)a);
        } else {
            puts("what?");
            continue;
        }
        puts("ok");
    }
    return 0;
}
