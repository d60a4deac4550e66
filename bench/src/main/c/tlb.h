/*
 * A direct-mapped software TLB with entries of 8 bytes: the least that a look-up can cost when
 * entries are replaced under their readers, since one word cannot be read in halves.
 *
 *  63            40 39               4 3  2  1   0
 * +----------------+------------------+----+---+---+
 * |   iova 47:24   |  host page 47:12 | 0  | W | R |
 * +----------------+------------------+----+---+---+
 *
 * Bits 23:12 of the I/O virtual address are the slot.
 */
#ifndef TLB_H
#define TLB_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TLB_SLOTS 4096u
#define TLB_READ 1ull
#define TLB_WRITE 2ull
#define TLB_TAG 0xFFFFFF0000000000ull
#define TLB_HOST 0x000000FFFFFFFFF0ull

struct tlb {
  _Atomic uint64_t entries[TLB_SLOTS];
};

/* Only warm translations are measured: a miss is a mistake of the row. */
__attribute__((noinline, cold, noreturn)) static void tlb_missed(uint64_t iova) {
  fprintf(stderr, "comparators: 0x%llx is not cached\n", (unsigned long long)iova);
  exit(1);
}

static inline void tlb_insert(struct tlb *tlb, uint64_t iova, uint64_t host) {
  uint64_t entry = ((iova << 16) & TLB_TAG) | ((host >> 8) & TLB_HOST) | TLB_READ | TLB_WRITE;
  atomic_store_explicit(&tlb->entries[(iova >> 12) & (TLB_SLOTS - 1)], entry, memory_order_release);
}

/* The host address behind an I/O virtual address. */
static inline uint64_t tlb_lookup(struct tlb *tlb, uint64_t iova, uint64_t permission) {
  uint64_t entry = atomic_load_explicit(&tlb->entries[(iova >> 12) & (TLB_SLOTS - 1)],
                                        memory_order_acquire);
  uint64_t differs = ((entry ^ (iova << 16)) & TLB_TAG) | (~entry & permission) | (iova >> 48);
  if (__builtin_expect(differs != 0, 0)) {
    tlb_missed(iova);
  }
  return ((entry & TLB_HOST) << 8) | (iova & (PAGE - 1));
}

#endif
