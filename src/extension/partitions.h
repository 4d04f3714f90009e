/*
 * partitions.h
 *	  The tables by day and month that snapshots and candles are kept in: made ahead, made when a tick needs one, and dropped
 *	  by age.  The statements themselves are the SQL functions crypto_partition_make and crypto_partitions_keep.
 *
 * All of it in a transaction that has found the extension (tables_find), before tables_enter.
 */
#ifndef CRYPTO_RT_PARTITIONS_H
#define CRYPTO_RT_PARTITIONS_H

#include "postgres.h"

/* Make sure that there is room for snapshots of a time (unix microseconds), and for their candles. */
extern void partitions_make(int64 time);

/*
 * Make those of today and tomorrow, and drop what is older than the settings want.  Returns how many are to be dropped but
 * are being read: nobody is made to wait, so they are to be tried again.
 */
extern int partitions_keep(void);

/* Another installation was found, or somebody may have dropped some: look again. */
extern void partitions_forget(void);

#endif /* CRYPTO_RT_PARTITIONS_H */
