/*
 * tls.h
 *	  The certificate and key, which may change while the daemon runs.
 */
#ifndef CRYPTO_RT_HTTP_TLS_H
#define CRYPTO_RT_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

/* Read what options() names.  false: it cannot be used; err says why, and what was read before stays. */
extern bool tls_load(char *err, size_t errsize);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
extern int tls_retrieve(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
						const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
						unsigned int *chain_len, gnutls_privkey_t *key);

#endif /* CRYPTO_RT_HTTP_TLS_H */
