/*
 * test_sign_memory.c
 *	  What sign.c does where there is no memory, OpenSSL's included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "alloc.h"
#include "sign.h"

#define EXPECTED "jiKgyFPcO9Jeza/MfjdyddzOofF8X6UGYKIAs8hN0Lc="

static bool
sign(char signature[SIGN_SIZE])
{
	return sign_request(signature, "GET", "/api/v1/tasks?index=0&limit=20",
						INT64_C(1700000000000), "AK_TEST", "SK_TEST");
}

static void
sign_once(void *argument)
{
	char		signature[SIGN_SIZE] = "before";
	bool		done = sign(signature);
	bool		failed = alloc_stop();

	(void) argument;
	assert_true(done || failed);
	assert_string_equal(signature, done ? EXPECTED : "");
	/* nobody else has to clean up, or finds somebody's error */
	assert_true(ERR_peek_error() == 0);
	assert_true(sign(signature));
	assert_string_equal(signature, EXPECTED);
}

/*
 * The same where OpenSSL was not used before, and loads what it needs.  What
 * it could not load then it may refuse to load ever after.
 */
static bool
sign_first(void)
{
	char		signature[SIGN_SIZE] = "before";
	bool		done = sign(signature);
	bool		failed = alloc_stop();
	bool		right = (done || failed) &&
	strcmp(signature, done ? EXPECTED : "") == 0;

	done = sign(signature);
	return right && strcmp(signature, done ? EXPECTED : "") == 0;
}

static void
first_signature_without_memory(void **state)
{
	(void) state;
	print_message("%ld allocations\n", alloc_each_first(sign_first));
}

static void
signature_without_memory(void **state)
{
	(void) state;
	print_message("%ld allocations\n", alloc_each(sign_once, NULL));
}

/*
 * A key that could not be made, and one that could but not used: the same one
 * is right afterwards.
 */
static void
digest_once(void *argument)
{
	const SignDigest *expected = argument;
	SignKey    *key = sign_key_new("key", 3);
	SignDigest	digest;
	bool		done = key != NULL && sign_digest(key, "text", 4, &digest) &&
	sign_digest(key, "text", 4, &digest);
	bool		failed = alloc_stop();

	assert_true(done || failed);
	assert_true(ERR_peek_error() == 0);
	if (key != NULL)
	{
		assert_true(sign_digest(key, "text", 4, &digest));
		assert_memory_equal(&digest, expected, sizeof(digest));
	}
	sign_key_free(key);
}

static void
digest_without_memory(void **state)
{
	SignKey    *key = sign_key_new("key", 3);
	SignDigest	expected;

	(void) state;
	assert_non_null(key);
	assert_true(sign_digest(key, "text", 4, &expected));
	sign_key_free(key);
	print_message("%ld allocations\n", alloc_each(digest_once, &expected));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_signature_without_memory),
		cmocka_unit_test(signature_without_memory),
		cmocka_unit_test(digest_without_memory)
	};

	alloc_openssl();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
