/* Plays QEMU in the tests: maps the RAM file shared, as memory-backend-file does, and obeys one command per line on standard input.
 * Each command is answered with one line: "ok", or what was asked for. Ends at the end of its input.
 *
 *   write PAGE VALUE    fills a page with a byte
 *   poke PAGE OFFSET VALUE   writes one byte
 *   touch PAGE          reads a byte of a page
 *   kernel PAGE         lets the kernel write the page: read(2) from /dev/urandom
 *   start SEED          starts a thread that writes random words all over the RAM as fast as it can
 *   stop                stops that thread and answers with the number of its writes
 *   sum PAGE            answers with the sum of a page's bytes
 *   kernelsum PAGE      the same, but it is the kernel that reads the page: write(2)
 *   exercise THREADS SEED PACKAGE   starts up to 8 threads that write all over the RAM and check what they read against the package's RAM and their own writes
 *   rest                stops them and answers with the number of their reads and of those that were wrong
 *   compare             answers with the number of words in the whole RAM that are neither the package's nor what was written last
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

enum { PAGE = 4096, WORDS = PAGE / 8, THREADS = 8 };

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

/* Each thread of an exercise writes one word of each page, its own, so it always knows what it has to read there. The words behind those are nobody's. */
static struct exerciser {
    pthread_t thread;
    uint64_t number, state, reads, wrong;
    uint64_t *last; /* what it wrote last, for each page; 0: nothing */
} exercisers[THREADS];
static unsigned exercising;
static const uint64_t *package;

static uint64_t expected(size_t page, size_t word)
{
    uint64_t last = word < exercising ? exercisers[word].last[page] : 0;
    return last ? last : package[page * WORDS + word];
}

static void *exercise(void *argument)
{
    struct exerciser *own = argument;
    /* A thread that is told to rest before it got a processor would have proven nothing. */
    while (own->reads < 100 || atomic_load_explicit(&running, memory_order_relaxed)) {
        own->state ^= own->state << 13;
        own->state ^= own->state >> 7;
        own->state ^= own->state << 17;
        size_t page = (own->state >> 20) % pages;
        size_t word = own->state & 1 ? own->number : THREADS + (own->state >> 4) % (WORDS - THREADS);
        volatile uint64_t *at = (volatile uint64_t *)(ram + page * PAGE) + word;
        own->reads++;
        own->wrong += *at != expected(page, word);
        if ((own->state & 14) == 0) {
            own->last[page] = own->state;
            ((volatile uint64_t *)(ram + page * PAGE))[own->number] = own->state;
        }
    }
    return NULL;
}

static int start_exercise(unsigned threads, uint64_t from, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    package = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (package == MAP_FAILED || threads > THREADS)
        return -1;
    exercising = threads;
    atomic_store(&running, 1);
    for (unsigned i = 0; i < threads; i++) {
        struct exerciser *one = &exercisers[i];
        *one = (struct exerciser){.number = i, .state = (from + i) * 0x9E3779B97F4A7C15ull | 1, .last = one->last ? one->last : calloc(pages, 8)};
        if (!one->last || pthread_create(&one->thread, NULL, exercise, one))
            return -1;
    }
    return 0;
}

static void rest(void)
{
    uint64_t reads = 0, wrong = 0;
    atomic_store(&running, 0);
    for (unsigned i = 0; i < exercising; i++) {
        pthread_join(exercisers[i].thread, NULL);
        reads += exercisers[i].reads;
        wrong += exercisers[i].wrong;
    }
    printf("%lu %lu\n", (unsigned long)reads, (unsigned long)wrong);
}

static unsigned long compare(void)
{
    unsigned long wrong = 0;
    for (size_t page = 0; page < pages; page++)
        for (size_t word = 0; word < WORDS; word++)
            wrong += ((uint64_t *)(ram + page * PAGE))[word] != expected(page, word);
    return wrong;
}

static unsigned long sum(const unsigned char *bytes)
{
    unsigned long total = 0;
    for (int i = 0; i < PAGE; i++)
        total += bytes[i];
    return total;
}

/* A pipe holds more than a page, so this does not block. */
static long kernel_sum(size_t page)
{
    unsigned char copy[PAGE];
    int ends[2];
    if (pipe(ends))
        return -1;
    int whole = write(ends[1], ram + page * PAGE, PAGE) == PAGE && read(ends[0], copy, PAGE) == PAGE;
    close(ends[0]);
    close(ends[1]);
    return whole ? (long)sum(copy) : -1;
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
    char line[512], path[400];
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
        } else if (sscanf(line, "sum %lu", &a) == 1) {
            printf("%lu\n", sum(ram + a * PAGE));
            continue;
        } else if (sscanf(line, "kernelsum %lu", &a) == 1) {
            printf("%ld\n", kernel_sum(a));
            continue;
        } else if (sscanf(line, "exercise %lu %lu %399s", &a, &b, path) == 3) {
            if (start_exercise((unsigned)a, b, path))
                return 7;
        } else if (!strcmp(line, "rest\n")) {
            rest();
            continue;
        } else if (!strcmp(line, "compare\n")) {
            printf("%lu\n", compare());
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
