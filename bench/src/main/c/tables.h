/*
 * Guest memory, and in it a table of 4 levels in the layout of VT-d's second stage: bit 0 read,
 * bit 1 write, bit 7 large page, bits 51:12 the next table or the page.
 *
 *   0x0000_0000  tables
 *   0x0100_0000  4096 pages, scattered
 */
#ifndef TABLES_H
#define TABLES_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

#define RAM_BYTES (32ull << 20)
#define RAM_PAGES 0x1000000ull
#define RAM_PAGE_COUNT 4096ull
#define TABLES 0x3000ull

#define ENTRY_READ 1ull
#define ENTRY_WRITE 2ull
#define ENTRY_LARGE 0x80ull
#define ENTRY_ADDRESS 0x000FFFFFFFFFF000ull

/* Of a walk that found no page. */
#define NO_PAGE UINT64_MAX

struct guest {
  uint8_t *ram;
  uint64_t top;        /* guest-physical address of the top table */
  uint64_t next_table; /* where the next table goes */
};

static inline _Atomic uint64_t *entry_at(const struct guest *g, uint64_t table, uint64_t iova,
                                         unsigned shift) {
  return (_Atomic uint64_t *)(g->ram + table) + ((iova >> shift) & 511);
}

/* The guest-physical address of page i: an odd multiple keeps neighbours apart. */
static inline uint64_t scattered(uint64_t i) {
  return RAM_PAGES + (i * 2654435ull % RAM_PAGE_COUNT) * PAGE;
}

static inline uint64_t new_table(struct guest *g) {
  uint64_t made = g->next_table;
  g->next_table += PAGE;
  return made;
}

static inline void guest_init(struct guest *g) {
  g->ram = aligned_alloc(PAGE, RAM_BYTES);
  if (g->ram == NULL) {
    perror("comparators: memory");
    exit(1);
  }
  memset(g->ram, 0, RAM_BYTES);
  g->next_table = TABLES;
  g->top = new_table(g);
}

static inline void guest_map(struct guest *g, uint64_t iova, uint64_t physical) {
  uint64_t table = g->top;
  for (unsigned shift = 39; shift > 12; shift -= 9) {
    _Atomic uint64_t *entry = entry_at(g, table, iova, shift);
    if (*entry == 0) {
      *entry = new_table(g) | ENTRY_READ | ENTRY_WRITE;
    }
    table = *entry & ENTRY_ADDRESS;
  }
  *entry_at(g, table, iova, 12) = physical | ENTRY_READ | ENTRY_WRITE;
}

/* The host address behind an I/O virtual address by the tables alone, or NO_PAGE. */
static inline uint64_t guest_walk(const struct guest *g, uint64_t iova, uint64_t permission) {
  if (__builtin_expect(iova >> 48 != 0, 0)) {
    return NO_PAGE;
  }
  uint64_t table = g->top;
#pragma GCC unroll 4
  for (unsigned shift = 39; shift >= 12; shift -= 9) {
    uint64_t entry = atomic_load_explicit(entry_at(g, table, iova, shift), memory_order_acquire);
    if (__builtin_expect((~entry & permission) != 0, 0)) {
      return NO_PAGE;
    }
    uint64_t address = entry & ENTRY_ADDRESS;
    if (shift == 12 || (entry & ENTRY_LARGE) != 0) {
      uint64_t within = (1ull << shift) - 1;
      uint64_t physical = (address & ~within) | (iova & within);
      return physical < RAM_BYTES ? (uint64_t)(uintptr_t)g->ram + physical : NO_PAGE;
    }
    if (__builtin_expect(address >= RAM_BYTES, 0)) {
      return NO_PAGE;
    }
    table = address;
  }
  return NO_PAGE;
}

#endif
