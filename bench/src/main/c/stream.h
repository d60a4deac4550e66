/*
 * The order in which pages are visited, and the clock: the same for every row, and the same as on
 * the Java side (dev.sluice.bench.jmh.AddressStream).
 *
 * Offsets go round a power of two of pages in steps of an odd number near the golden ratio, which
 * visits each page once a round and no prefetcher follows. Everything is kept in variables that the
 * compiler cannot see through, as it cannot in Java.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>
#include <time.h>

#define PAGE 4096ull

struct stream {
  uint64_t base; /* I/O virtual address of the first page */
  uint64_t step; /* bytes */
  uint64_t mask; /* of an offset: (pages - 1) * bytes of a page */
  uint64_t gap;  /* bits between the lowest and the highest of the mask that are not in it */
};

static inline uint64_t golden_step(uint64_t pages) {
  return (uint64_t)((double)pages * 0.6180339887498949) | 1;
}

/* `unit` is what one visit takes, a power of two of bytes. */
static inline struct stream stream_over(uint64_t base, uint64_t pages, uint64_t unit) {
  return (struct stream){base, golden_step(pages) * unit, (pages - 1) * unit, 0};
}

/*
 * Pages twice: as they are, and again under addresses that have `alias` in addition, so that
 * between two visits of one address there is always one of the other.
 */
static inline struct stream stream_aliased(uint64_t base, uint64_t pages, uint64_t unit,
                                           uint64_t alias) {
  uint64_t step = golden_step(2 * pages);
  return (struct stream){base, step % pages * unit + step / pages * alias,
                         (pages - 1) * unit | alias, alias - pages * unit};
}

static inline uint64_t next_offset(const struct stream *s, uint64_t at) {
  return (at + s->step) & s->mask;
}

/* The same where the mask has a gap, which the carry has to cross. */
static inline uint64_t next_offset_across(const struct stream *s, uint64_t at) {
  return ((at | s->gap) + s->step) & s->mask;
}

static inline double clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#endif
