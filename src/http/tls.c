/*
 * tls.c
 *	  See tls.h.
 *
 * A handshake that has begun may still use what it was given, so the pair that was replaced is kept until the next is.
 */
#include "tls.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "options.h"

#define CHAIN_MAX 16

typedef struct Pair
{
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned int len;
	gnutls_privkey_t key;
} Pair;

static Pair *current;
static Pair *previous;

static void
pair_free(Pair *pair)
{
	if (pair == NULL)
		return;
	for (unsigned int i = 0; i < pair->len; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->key != NULL)
		gnutls_privkey_deinit(pair->key);
	free(pair);
}

static bool
read_file(const char *path, gnutls_datum_t *data, char *err, size_t errsize)
{
	int code = gnutls_load_file(path, data);

	if (code >= 0)
		return true;
	snprintf(err, errsize, "%s cannot be read", path);
	return false;
}

static bool
read_chain(Pair *pair, char *err, size_t errsize)
{
	gnutls_datum_t data;
	unsigned int n = CHAIN_MAX;
	int code;

	if (!read_file(options()->tls_cert, &data, err, errsize))
		return false;
	code = gnutls_pcert_list_import_x509_raw(pair->chain, &n, &data, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(data.data);
	if (code < 0)
	{
		snprintf(err, errsize, "%s holds no certificate chain in PEM: %s", options()->tls_cert,
				 gnutls_strerror(code));
		return false;
	}
	pair->len = n;
	return true;
}

static bool
read_key(Pair *pair, char *err, size_t errsize)
{
	gnutls_datum_t data;
	int code;

	if (!read_file(options()->tls_key, &data, err, errsize))
		return false;
	code = gnutls_privkey_init(&pair->key);
	if (code >= 0)
		code = gnutls_privkey_import_x509_raw(pair->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
	if (code >= 0)
		return true;
	snprintf(err, errsize, "%s holds no private key in PEM without a passphrase: %s", options()->tls_key,
			 gnutls_strerror(code));
	return false;
}

/* Whether the key is the certificate's. */
static bool
belong_together(Pair *pair, char *err, size_t errsize)
{
	gnutls_pubkey_t of_key;
	unsigned char a[128];
	unsigned char b[128];
	size_t alen = sizeof(a);
	size_t blen = sizeof(b);
	bool same = false;

	if (gnutls_pubkey_init(&of_key) >= 0)
	{
		same = gnutls_pubkey_import_privkey(of_key, pair->key, 0, 0) >= 0 &&
			   gnutls_pubkey_get_key_id(of_key, GNUTLS_KEYID_USE_SHA256, a, &alen) >= 0 &&
			   gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, b, &blen) >= 0 &&
			   alen == blen && memcmp(a, b, alen) == 0;
		gnutls_pubkey_deinit(of_key);
	}
	if (!same)
		snprintf(err, errsize, "the key in %s is not that of the certificate in %s", options()->tls_key,
				 options()->tls_cert);
	return same;
}

bool
tls_load(char *err, size_t errsize)
{
	Pair *pair = memory_get(sizeof(Pair));

	if (!read_chain(pair, err, errsize) || !read_key(pair, err, errsize) ||
		!belong_together(pair, err, errsize))
	{
		pair_free(pair);
		return false;
	}
	pair_free(previous);
	previous = current;
	current = pair;
	return true;
}

int
tls_retrieve(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
			 const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
			 unsigned int *chain_len, gnutls_privkey_t *key)
{
	(void) session;
	(void) issuers;
	(void) issuer_count;
	(void) algorithms;
	(void) algorithm_count;
	*chain = current->chain;
	*chain_len = current->len;
	*key = current->key;
	return 0;
}
