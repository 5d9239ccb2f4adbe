/*
 * sign.c
 *	  Signatures, keyed digests, and erasing what must not stay in memory.
 *
 * Whatever is fed to OpenSSL goes there piece by piece, so that no copy of it
 * has to be built, and erased again, here.  OpenSSL erases the key that a
 * context holds when the context is freed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "sign.h"

/* Bytes of an HMAC-SHA256. */
#define MAC_SIZE 32

struct SignKey
{
	EVP_MAC_CTX *context;		/* holds the key */
};

/*
 * A context for HMAC-SHA256 under a key; NULL if OpenSSL fails.
 */
static EVP_MAC_CTX *
hmac_new(const void *key, size_t size)
{
	static char digest[] = "SHA256";
	OSSL_PARAM	params[2];
	EVP_MAC    *mac = NULL;
	EVP_MAC_CTX *context = NULL;

	/* where there was no memory for this, OpenSSL would not look, and crash */
	if (OSSL_LIB_CTX_get0_global_default() != NULL)
		mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (mac != NULL)
		context = EVP_MAC_CTX_new(mac);

	/* the context keeps what it needs of it */
	EVP_MAC_free(mac);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
												 digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (context != NULL && !EVP_MAC_init(context, key, size, params))
	{
		EVP_MAC_CTX_free(context);
		context = NULL;
	}
	if (context == NULL)
		ERR_clear_error();
	return context;
}

/*
 * Feeds one text to a context.
 */
static bool
feed(EVP_MAC_CTX *context, const char *text)
{
	return EVP_MAC_update(context, (const unsigned char *) text,
						  strlen(text));
}

/*
 * Takes the result out of a context.
 */
static bool
finish(EVP_MAC_CTX *context, unsigned char mac[MAC_SIZE])
{
	size_t		size;

	return EVP_MAC_final(context, mac, &size, MAC_SIZE) && size == MAC_SIZE;
}

bool
sign_request(char signature[SIGN_SIZE], const char *method,
			 const char *target, int64_t timestamp_ms,
			 const char *access_key, const char *secret_key)
{
	EVP_MAC_CTX *context = hmac_new(secret_key, strlen(secret_key));
	unsigned char mac[MAC_SIZE];
	char		timestamp[24];
	bool		done;

	snprintf(timestamp, sizeof(timestamp), "%" PRId64, timestamp_ms);
	done = context != NULL &&
		feed(context, method) && feed(context, " ") &&
		feed(context, target) && feed(context, "\n") &&
		feed(context, timestamp) && feed(context, "\n") &&
		feed(context, access_key) &&
		finish(context, mac);
	if (done)
	{
		EVP_EncodeBlock((unsigned char *) signature, mac, MAC_SIZE);
		sign_erase(mac, sizeof(mac));
	}
	else
	{
		signature[0] = '\0';
		ERR_clear_error();
	}
	EVP_MAC_CTX_free(context);
	return done;
}

void
sign_erase(void *memory, size_t size)
{
	OPENSSL_cleanse(memory, size);
}

SignKey *
sign_key_new(const void *bytes, size_t size)
{
	SignKey    *key = malloc(sizeof(SignKey));

	if (key == NULL)
		return NULL;
	key->context = hmac_new(bytes, size);
	if (key->context == NULL)
	{
		free(key);
		return NULL;
	}
	return key;
}

void
sign_key_free(SignKey *key)
{
	if (key == NULL)
		return;
	EVP_MAC_CTX_free(key->context);
	free(key);
}

bool
sign_digest(SignKey *key, const char *text, size_t length,
			SignDigest *digest)
{
	unsigned char mac[MAC_SIZE];
	int			i;

	/* without a key, init starts again under the one the context has */
	if (!EVP_MAC_init(key->context, NULL, 0, NULL) ||
		!EVP_MAC_update(key->context, (const unsigned char *) text, length) ||
		!finish(key->context, mac))
	{
		ERR_clear_error();
		return false;
	}
	digest->high = 0;
	digest->low = 0;
	for (i = 0; i < 8; i++)
	{
		digest->high = digest->high << 8 | mac[i];
		digest->low = digest->low << 8 | mac[8 + i];
	}
	return true;
}

const char *
sign_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
