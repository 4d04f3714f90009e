/*
 * restore.h
 *	  Filling an empty board from the tables.
 */
#ifndef CRYPTO_RT_RESTORE_H
#define CRYPTO_RT_RESTORE_H

/*
 * Put the quotes of tickers on the board, marked as restored, unless there are quotes on it already.  In one short
 * transaction; when it fails, the board begins empty, and the log says why.  The poller only.
 */
extern void restore_board(void);

#endif /* CRYPTO_RT_RESTORE_H */
