/*
 * test_sign.c
 *	  Tests of src/core/sign.c.
 */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include "sign.h"

#define STAMP INT64_C(1700000000000)

/* The first is published with the API's documentation. */
static const struct
{
	const char *method;
	const char *target;
	const char *signature;
}			vectors[] = {

	{"POST", "/vserver/v2/createServerInstances?regionCode=KR",
	"xBcE26XFU55BMjppdPT7ZY3oDrqoOedfPyAn3Cq4lUw="},
	{"GET", "/api/v1/tasks?index=0&limit=20",
	"jiKgyFPcO9Jeza/MfjdyddzOofF8X6UGYKIAs8hN0Lc="},
	{"GET", "/api/v1/tasks?index=0&limit=100",
	"1zxBfri3k+x0iCZFrACAQLgrLynJuUilTY+uQU7Cstg="},
	{"GET", "/api/v1/tasks",
	"EclM0kT2u1luGdHYqe14mxh8QWnNrSf3zNBOCh1HtF4="},
};

static void
vectors_of_the_documentation(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
	{
		char		signature[SIGN_SIZE];

		assert_true(sign_request(signature, vectors[i].method,
								 vectors[i].target, STAMP,
								 "AK_TEST", "SK_TEST"));
		assert_string_equal(signature, vectors[i].signature);
	}
}

/*
 * Each of the five things that are signed changes the signature.
 */
static void
every_part_is_signed(void **state)
{
	char		base[SIGN_SIZE];
	char		other[SIGN_SIZE];

	(void) state;
	assert_true(sign_request(base, "GET", "/a", 1, "k", "s"));
	assert_true(sign_request(other, "PUT", "/a", 1, "k", "s"));
	assert_string_not_equal(base, other);
	assert_true(sign_request(other, "GET", "/b", 1, "k", "s"));
	assert_string_not_equal(base, other);
	assert_true(sign_request(other, "GET", "/a", 2, "k", "s"));
	assert_string_not_equal(base, other);
	assert_true(sign_request(other, "GET", "/a", 1, "l", "s"));
	assert_string_not_equal(base, other);
	assert_true(sign_request(other, "GET", "/a", 1, "k", "t"));
	assert_string_not_equal(base, other);
	assert_true(sign_request(other, "GET", "/a", 1, "k", "s"));
	assert_string_equal(base, other);
}

/*
 * A key longer than SHA-256's block is hashed first; one of no bytes is one.
 */
static void
keys_of_any_length(void **state)
{
	char		key[201];
	char		signature[SIGN_SIZE];

	(void) state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_true(sign_request(signature, "GET", "/a", 1, "k", key));
	assert_int_equal(strlen(signature), SIGN_SIZE - 1);
	assert_true(sign_request(signature, "GET", "/a", 1, "k", ""));
	assert_int_equal(strlen(signature), SIGN_SIZE - 1);
}

/*
 * Where OpenSSL has no HMAC everything says so, and leaves no error in its
 * queue for others to find.  In a process of its own, and before the first use
 * here: a library without algorithms stays one.
 */
static void
failures_of_openssl(void **state)
{
	pid_t		child = fork();
	int			status;

	(void) state;
	assert_true(child >= 0);
	if (child == 0)
	{
		char		signature[SIGN_SIZE] = "x";
		bool		right = OSSL_PROVIDER_load(NULL, "null") != NULL &&
		!sign_request(signature, "GET", "/a", 1, "k", "s") &&
		signature[0] == '\0' && ERR_peek_error() == 0 &&
		sign_key_new("key", 3) == NULL && ERR_peek_error() == 0;

		_exit(right ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
erase_overwrites(void **state)
{
	char		secret[8] = "secret!";
	static const char zeros[8];

	(void) state;
	sign_erase(secret, sizeof(secret));
	assert_memory_equal(secret, zeros, sizeof(secret));
	sign_erase(secret, 0);
}

/* RFC 4231, test cases 1, 2, 3 and 6: the first half of each HMAC-SHA256. */
static void
digest_vectors(void **state)
{
	unsigned char bytes[131];
	char		data[50];
	SignKey    *key;
	SignDigest	digest;

	(void) state;
	memset(bytes, 0x0b, 20);
	key = sign_key_new(bytes, 20);
	assert_non_null(key);
	assert_true(sign_digest(key, "Hi There", 8, &digest));
	assert_true(digest.high == UINT64_C(0xb0344c61d8db3853));
	assert_true(digest.low == UINT64_C(0x5ca8afceaf0bf12b));
	sign_key_free(key);

	key = sign_key_new("Jefe", 4);
	assert_non_null(key);
	assert_true(sign_digest(key, "what do ya want for nothing?", 28, &digest));
	assert_true(digest.high == UINT64_C(0x5bdcc146bf60754e));
	assert_true(digest.low == UINT64_C(0x6a042426089575c7));
	sign_key_free(key);

	memset(bytes, 0xaa, 131);
	memset(data, 0xdd, 50);
	key = sign_key_new(bytes, 20);
	assert_non_null(key);
	assert_true(sign_digest(key, data, 50, &digest));
	assert_true(digest.high == UINT64_C(0x773ea91e36800e46));
	assert_true(digest.low == UINT64_C(0x854db8ebd09181a7));
	sign_key_free(key);

	key = sign_key_new(bytes, 131);
	assert_non_null(key);
	assert_true(sign_digest(key, "Test Using Larger Than Block-Size Key"
							" - Hash Key First", 54, &digest));
	assert_true(digest.high == UINT64_C(0x60e431591ee0b67f));
	assert_true(digest.low == UINT64_C(0x0d8a26aacbf5b77f));
	sign_key_free(key);
}

/*
 * A key is good for many digests, and none depends on those before.
 */
static void
key_is_used_again(void **state)
{
	SignKey    *key = sign_key_new("key", 3);
	SignDigest	first;
	SignDigest	digest;
	int			i;

	(void) state;
	assert_non_null(key);
	assert_true(sign_digest(key, "one", 3, &first));
	for (i = 0; i < 100; i++)
	{
		assert_true(sign_digest(key, "another", (size_t) (i % 8), &digest));
		assert_true(digest.high != first.high && digest.low != first.low);
		assert_true(sign_digest(key, "one", 3, &digest));
		assert_true(digest.high == first.high && digest.low == first.low);
	}
	sign_key_free(key);
}

/*
 * Length counts, not a terminator.
 */
static void
digest_of_nul(void **state)
{
	SignKey    *key = sign_key_new("key", 3);
	SignDigest	none;
	SignDigest	one;
	SignDigest	two;

	(void) state;
	assert_non_null(key);
	assert_true(sign_digest(key, "\0\0", 0, &none));
	assert_true(sign_digest(key, "\0\0", 1, &one));
	assert_true(sign_digest(key, "\0\0", 2, &two));
	assert_true(none.high != one.high && one.high != two.high);
	sign_key_free(key);
}

static void
keys_differ(void **state)
{
	SignKey    *a = sign_key_new("a", 1);
	SignKey    *b = sign_key_new("b", 1);
	SignDigest	under_a;
	SignDigest	under_b;

	(void) state;
	assert_non_null(a);
	assert_non_null(b);
	assert_true(sign_digest(a, "text", 4, &under_a));
	assert_true(sign_digest(b, "text", 4, &under_b));
	assert_true(under_a.high != under_b.high && under_a.low != under_b.low);
	sign_key_free(a);
	sign_key_free(b);
}

/*
 * The caller may erase its bytes once the key is made.
 */
static void
key_bytes_are_copied(void **state)
{
	char		bytes[4] = "key";
	SignKey    *copied = sign_key_new(bytes, 3);
	SignKey    *kept = sign_key_new("key", 3);
	SignDigest	digest;
	SignDigest	expected;

	(void) state;
	assert_non_null(copied);
	assert_non_null(kept);
	sign_erase(bytes, sizeof(bytes));
	assert_true(sign_digest(copied, "text", 4, &digest));
	assert_true(sign_digest(kept, "text", 4, &expected));
	assert_true(digest.high == expected.high && digest.low == expected.low);
	sign_key_free(copied);
	sign_key_free(kept);
	sign_key_free(NULL);
}

static void
version_is_a_number(void **state)
{
	(void) state;
	assert_in_range(sign_version()[0], '3', '9');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_of_openssl),
		cmocka_unit_test(vectors_of_the_documentation),
		cmocka_unit_test(every_part_is_signed),
		cmocka_unit_test(keys_of_any_length),
		cmocka_unit_test(erase_overwrites),
		cmocka_unit_test(digest_vectors),
		cmocka_unit_test(key_is_used_again),
		cmocka_unit_test(digest_of_nul),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(key_bytes_are_copied),
		cmocka_unit_test(version_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
