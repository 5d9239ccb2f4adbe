/*
 * sign.h
 *	  Signatures, keyed digests, and erasing what must not stay in memory.
 *	  The only file that knows OpenSSL.
 */
#ifndef NCLUE_SIGN_H
#define NCLUE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Base64 of an HMAC-SHA256, terminated. */
#define SIGN_SIZE 45

/*
 * The value of header x-ncp-apigw-signature-v2 (API documentation: Base64 of
 * the HMAC-SHA256 of "METHOD target LF timestamp LF access-key"), target being
 * path and query exactly as sent, timestamp milliseconds since the epoch.
 * Intermediate copies are erased.  False, with an empty signature, if OpenSSL
 * fails.  Never raises.
 */
extern bool sign_request(char signature[SIGN_SIZE], const char *method,
						 const char *target, int64_t timestamp_ms,
						 const char *access_key, const char *secret_key);

/*
 * Overwrites memory in a way no compiler removes.  Never raises.
 */
extern void sign_erase(void *memory, size_t size);

/* A 128-bit digest. */
typedef struct SignDigest
{
	uint64_t	high;
	uint64_t	low;
} SignDigest;

/* A key under which digests are made, ready for use many times. */
typedef struct SignKey SignKey;

/*
 * Makes a key from bytes, which are copied.  Freed with sign_key_free().  NULL
 * if OpenSSL fails.  Never raises.
 */
extern SignKey *sign_key_new(const void *bytes, size_t size);
extern void sign_key_free(SignKey *key);

/*
 * The first 128 bits of the HMAC-SHA256 of a text.  Texts that differ have
 * digests that differ, but for a chance nobody can raise without the key.
 * False if OpenSSL fails.  Never raises.
 */
extern bool sign_digest(SignKey *key, const char *text, size_t length,
						SignDigest *digest);

/*
 * OpenSSL's version as it runs; static.  Never raises.
 */
extern const char *sign_version(void);

#endif
