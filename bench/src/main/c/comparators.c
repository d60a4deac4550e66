/*
 * What the machine can do: the work of Sluice's hot paths in plain C, without what Sluice promises
 * beside it (nothing is tracked, drained or counted). `sluice bench` compiles this, runs it before
 * and after each of its own rows and prints both.
 *
 *   comparators ROW PAGES BYTES SAMPLES MILLISECONDS
 *
 * prints SAMPLES lines, each the nanoseconds of an operation in a run of about MILLISECONDS.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "tables.h"
#include "tlb.h"

#define IOVA 0x1234000000ull
#define ALIAS (TLB_SLOTS * PAGE) /* shares its slot of a TLB with the page below it */
#define BUFFER_BYTES (1ull << 20)
#define MAX_SAMPLES 1000

struct bed {
  struct guest guest;
  struct tlb *tlb;
  uint8_t *buffer;
  struct stream stream;
  uint64_t bytes;      /* that one operation moves */
  uint64_t operations; /* of one round */
  uint64_t zero;       /* 0, which the compiler does not know */
  _Atomic uint64_t users;
};

/* One round of operations; the result depends on every one of them. */
typedef uint64_t round_fn(struct bed *bed);

/* Keeps the compiler from dropping or merging what was written to memory. */
#define KEEP() __asm__ volatile("" ::: "memory")

/* --- translation */

static uint64_t hit(struct bed *bed) {
  struct stream s = bed->stream;
  struct tlb *tlb = bed->tlb;
  uint64_t sum = 0;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at);
    sum += tlb_lookup(tlb, s.base + at, TLB_READ);
  }
  return sum;
}

/* Each address depends on the result before it. */
static uint64_t hit_latency(struct bed *bed) {
  struct stream s = bed->stream;
  struct tlb *tlb = bed->tlb;
  uint64_t zero = bed->zero;
  uint64_t found = 0;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at + (found & zero));
    found = tlb_lookup(tlb, s.base + at, TLB_READ);
  }
  return found;
}

static uint64_t walk_or_fail(const struct guest *guest, uint64_t iova) {
  uint64_t host = guest_walk(guest, iova, ENTRY_READ);
  if (__builtin_expect(host == NO_PAGE, 0)) {
    fprintf(stderr, "comparators: 0x%" PRIx64 " is not mapped\n", iova);
    exit(1);
  }
  return host;
}

static uint64_t walk(struct bed *bed) {
  struct stream s = bed->stream;
  struct guest guest = bed->guest;
  uint64_t sum = 0;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset_across(&s, at);
    sum += walk_or_fail(&guest, s.base + at);
  }
  return sum;
}

static uint64_t walk_latency(struct bed *bed) {
  struct stream s = bed->stream;
  struct guest guest = bed->guest;
  uint64_t zero = bed->zero;
  uint64_t found = 0;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset_across(&s, at + (found & zero));
    found = walk_or_fail(&guest, s.base + at);
  }
  return found;
}

/* --- copies */

/* Looks up and copies page by page, as guest memory is scattered. */
static uint64_t read_translated(struct bed *bed) {
  struct stream s = bed->stream;
  struct tlb *tlb = bed->tlb;
  uint64_t bytes = bed->bytes;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at);
    for (uint64_t done = 0; done < bytes; done += PAGE) {
      uint64_t part = bytes - done < PAGE ? bytes - done : PAGE;
      uint64_t host = tlb_lookup(tlb, s.base + at + done, TLB_READ);
      memcpy(bed->buffer + done, (const void *)(uintptr_t)host, part);
    }
    KEEP();
  }
  return at;
}

static uint64_t write_translated(struct bed *bed) {
  struct stream s = bed->stream;
  struct tlb *tlb = bed->tlb;
  uint64_t bytes = bed->bytes;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at);
    for (uint64_t done = 0; done < bytes; done += PAGE) {
      uint64_t part = bytes - done < PAGE ? bytes - done : PAGE;
      uint64_t host = tlb_lookup(tlb, s.base + at + done, TLB_WRITE);
      memcpy((void *)(uintptr_t)host, bed->buffer + done, part);
    }
    KEEP();
  }
  return at;
}

/* No translation: offsets into one run of memory. */
static uint64_t copy_in(struct bed *bed) {
  struct stream s = bed->stream;
  uint64_t bytes = bed->bytes;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at);
    memcpy(bed->buffer, bed->guest.ram + RAM_PAGES + at, bytes);
    KEEP();
  }
  return at;
}

static uint64_t copy_out(struct bed *bed) {
  struct stream s = bed->stream;
  uint64_t bytes = bed->bytes;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at);
    memcpy(bed->guest.ram + RAM_PAGES + at, bed->buffer, bytes);
    KEEP();
  }
  return at;
}

static uint64_t zero(struct bed *bed) {
  struct stream s = bed->stream;
  uint64_t bytes = bed->bytes;
  uint64_t at = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    at = next_offset(&s, at);
    memset(bed->guest.ram + RAM_PAGES + at, 0, bytes);
    KEEP();
  }
  return at;
}

/* --- counting a user in and out */

static uint64_t atomic_pair(struct bed *bed) {
  uint64_t sum = 0;
  for (uint64_t i = bed->operations; i > 0; i--) {
    sum += atomic_fetch_add(&bed->users, 1);
    sum += atomic_fetch_sub(&bed->users, 1);
  }
  return sum;
}

/* --- rows */

struct row {
  const char *name;
  round_fn *round;
  unsigned threads;
  bool walks; /* over pages that no TLB holds at a time */
};

static const struct row ROWS[] = {
    {"hit", hit, 1, false},
    {"hit-latency", hit_latency, 1, false},
    {"hit-two-threads", hit, 2, false},
    {"walk", walk, 1, true},
    {"walk-latency", walk_latency, 1, true},
    {"read", read_translated, 1, false},
    {"write", write_translated, 1, false},
    {"copy-in", copy_in, 1, false},
    {"copy-out", copy_out, 1, false},
    {"zero", zero, 1, false},
    {"atomic-pair", atomic_pair, 1, false},
};

/* Results go here so that they count as used. */
static _Atomic uint64_t sink;

/*
 * Nanoseconds of an operation, over rounds that take `ns` together: those that the thread was on a
 * processor, since what a busy machine gives to others is no cost of the operation.
 */
static double run_for(struct bed *bed, round_fn *volatile round, double ns) {
  double until = clock_ns(CLOCK_MONOTONIC) + ns;
  double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  uint64_t rounds = 0;
  uint64_t sum = 0;
  do {
    sum += round(bed);
    rounds++;
  } while (clock_ns(CLOCK_MONOTONIC) < until);
  double taken = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
  atomic_fetch_add(&sink, sum);
  return taken / ((double)rounds * (double)bed->operations);
}

struct worker {
  pthread_t thread;
  pthread_barrier_t *barrier;
  struct bed bed;
  round_fn *round;
  double ns;
  unsigned samples;
  double result[MAX_SAMPLES];
};

static void *work(void *argument) {
  struct worker *w = argument;
  pthread_barrier_wait(w->barrier);
  run_for(&w->bed, w->round, w->ns); /* warm caches, a processor at speed */
  for (unsigned i = 0; i < w->samples; i++) {
    pthread_barrier_wait(w->barrier);
    w->result[i] = run_for(&w->bed, w->round, w->ns);
  }
  return NULL;
}

/* Each thread has a device buffer of its own; memory, tables and TLB are shared. */
static void measure(const struct row *row, const struct bed *bed, unsigned samples, double ns) {
  struct worker *workers = calloc(row->threads, sizeof *workers);
  pthread_barrier_t barrier;
  if (workers == NULL || pthread_barrier_init(&barrier, NULL, row->threads) != 0) {
    perror("comparators");
    exit(1);
  }
  for (unsigned t = 0; t < row->threads; t++) {
    struct worker *w = &workers[t];
    w->barrier = &barrier;
    w->bed = *bed;
    w->bed.buffer = aligned_alloc(64, BUFFER_BYTES);
    w->round = row->round;
    w->ns = ns;
    w->samples = samples;
    if (w->bed.buffer == NULL) {
      perror("comparators: memory");
      exit(1);
    }
    memset(w->bed.buffer, 1, BUFFER_BYTES);
    if (pthread_create(&w->thread, NULL, work, w) != 0) {
      perror("comparators: thread");
      exit(1);
    }
  }
  for (unsigned t = 0; t < row->threads; t++) {
    pthread_join(workers[t].thread, NULL);
  }
  for (unsigned i = 0; i < samples; i++) {
    double sum = 0;
    for (unsigned t = 0; t < row->threads; t++) {
      sum += workers[t].result[i];
    }
    printf("%.4f\n", sum / row->threads);
  }
}

static void prepare(struct bed *bed, const struct row *row, uint64_t pages, uint64_t bytes) {
  guest_init(&bed->guest);
  bed->tlb = aligned_alloc(64, sizeof *bed->tlb);
  if (bed->tlb == NULL) {
    perror("comparators: memory");
    exit(1);
  }
  memset(bed->tlb, 0, sizeof *bed->tlb);
  for (uint64_t i = 0; i < RAM_PAGE_COUNT; i++) {
    uint64_t iova = IOVA + i * PAGE;
    guest_map(&bed->guest, iova, scattered(i));
    guest_map(&bed->guest, iova + ALIAS, scattered(i));
    tlb_insert(bed->tlb, iova, (uint64_t)(uintptr_t)bed->guest.ram + scattered(i));
  }
  /* Larger than a page: as many visits as fit into the pages, at least one. */
  uint64_t unit = bytes > PAGE ? bytes : PAGE;
  uint64_t visits = pages * PAGE > unit ? pages * PAGE / unit : 1;
  bed->stream = stream_over(IOVA, visits, unit);
  if (row->walks) {
    bed->stream = stream_aliased(IOVA, pages, PAGE, ALIAS);
  }
  if (strncmp(row->name, "copy", 4) == 0 || strcmp(row->name, "zero") == 0) {
    bed->stream.base = 0;
  }
  bed->bytes = bytes;
  bed->operations = unit > 4 * PAGE ? 4 * BUFFER_BYTES / unit : 4096;
}

static uint64_t number(const char *text, uint64_t max) {
  char *end;
  uint64_t value = strtoull(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value == 0 || value > max) {
    fprintf(stderr, "comparators: %s is not a number from 1 to %" PRIu64 "\n", text, max);
    exit(2);
  }
  return value;
}

int main(int argc, char **argv) {
  /* Ctrl-C is for the parent, which ends its children. */
  signal(SIGINT, SIG_IGN);
  if (argc != 6) {
    fprintf(stderr, "usage: comparators ROW PAGES BYTES SAMPLES MILLISECONDS\n");
    return 2;
  }
  uint64_t pages = number(argv[2], RAM_PAGE_COUNT);
  uint64_t bytes = number(argv[3], BUFFER_BYTES);
  unsigned samples = (unsigned)number(argv[4], MAX_SAMPLES);
  double ns = (double)number(argv[5], 60000) * 1e6;
  if ((pages & (pages - 1)) != 0) {
    fprintf(stderr, "comparators: %" PRIu64 " pages are no power of two\n", pages);
    return 2;
  }
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    if (strcmp(ROWS[i].name, argv[1]) == 0) {
      struct bed bed = {0};
      prepare(&bed, &ROWS[i], pages, bytes);
      measure(&ROWS[i], &bed, samples, ns);
      return 0;
    }
  }
  fprintf(stderr, "comparators: there is no row %s\n", argv[1]);
  return 2;
}
