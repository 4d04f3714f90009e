/*
 * gzip.h
 *	  Bodies made small, and a body made small that is not.
 */
#ifndef COINLORE_SIM_GZIP_H
#define COINLORE_SIM_GZIP_H

#include <stddef.h>
#include <stdint.h>

/* A gzip member of len bytes, freed by the caller; its length goes to *packed_len. */
extern char *gzip_pack(const char *bytes, size_t len, size_t *packed_len);

/*
 * A gzip member that unpacks to head, then at least size times the byte filler, then tail, without
 * ever holding that in memory.  Freed by the caller.
 */
extern char *gzip_bomb(const char *head, char filler, uint64_t size, const char *tail, size_t *packed_len);

/* Free what gzip_pack keeps from one call to the next. */
extern void gzip_end(void);

#endif /* COINLORE_SIM_GZIP_H */
