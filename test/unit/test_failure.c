/*
 * test_failure.c
 *	  The table of failures, the kinds of answers, and clipping.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "failure.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EXPECT(kind, transient, sqlstate) {kind, #kind, transient, sqlstate}

static const struct
{
	FailureKind kind;
	const char *name;
	bool		transient;
	const char *sqlstate;
}			expected[] = {

	EXPECT(FAILURE_NONE, false, "00000"),
	EXPECT(FAILURE_RESOLVE, true, "08001"),
	EXPECT(FAILURE_RESOLVE_PROXY, true, "08001"),
	EXPECT(FAILURE_CONNECT, true, "08001"),
	EXPECT(FAILURE_TLS, true, "08001"),
	EXPECT(FAILURE_CERTIFICATE, false, "08001"),
	EXPECT(FAILURE_CA_FILE, false, "08001"),
	EXPECT(FAILURE_CONNECT_TIMEOUT, true, "08006"),
	EXPECT(FAILURE_TIMEOUT, true, "08006"),
	EXPECT(FAILURE_LOST, true, "08006"),
	EXPECT(FAILURE_PROTOCOL, false, "08P01"),
	EXPECT(FAILURE_MEMORY, false, "53200"),
	EXPECT(FAILURE_DESCRIPTORS, false, "53000"),
	EXPECT(FAILURE_LIBRARY, false, "HV000"),
	EXPECT(FAILURE_BAD_REQUEST, false, "HV000"),
	EXPECT(FAILURE_AUTHENTICATION, false, "28000"),
	EXPECT(FAILURE_PERMISSION, false, "42501"),
	EXPECT(FAILURE_UNKNOWN_URL, false, "HV00R"),
	EXPECT(FAILURE_NO_OBJECT, false, "HV00R"),
	EXPECT(FAILURE_REQUEST_TOO_LARGE, false, "HV000"),
	EXPECT(FAILURE_QUOTA, false, "53000"),
	EXPECT(FAILURE_THROTTLED, true, "53000"),
	EXPECT(FAILURE_SERVER, true, "HV000"),
	EXPECT(FAILURE_UNAVAILABLE, true, "HV000"),
	EXPECT(FAILURE_REDIRECT, false, "HV000"),
	EXPECT(FAILURE_STATUS, false, "HV000"),
	EXPECT(FAILURE_BODY_TOO_LARGE, false, "54000"),
	EXPECT(FAILURE_NOT_JSON, false, "22032"),
	EXPECT(FAILURE_UNREADABLE, false, "22032"),
	EXPECT(FAILURE_SHAPE, false, "HV021"),
	EXPECT(FAILURE_NO_ID, false, "HV021"),
	EXPECT(FAILURE_MOVES, false, "40001"),
	EXPECT(FAILURE_TOTAL, false, "HV021"),
	EXPECT(FAILURE_UNIT, false, "HV021"),
	EXPECT(FAILURE_BUDGET, false, "53400"),
	EXPECT(FAILURE_LINE, false, "53400"),
	EXPECT(FAILURE_DEADLINE, false, "57014")
};

static void
test_rows(void **state)
{
	size_t		i;

	(void) state;
	assert_int_equal(COUNT(expected), FAILURE_KINDS);
	for (i = 0; i < COUNT(expected); i++)
	{
		const FailureRow *row = failure_row(expected[i].kind);

		assert_int_equal(expected[i].kind, i);
		assert_int_equal(row->kind, expected[i].kind);
		assert_string_equal(row->name, expected[i].name);
		assert_string_equal(row->sqlstate, expected[i].sqlstate);
		if (row->transient != expected[i].transient)
			fail_msg("%s: transient is wrong", row->name);
	}
}

/*
 * PostgreSQL's style: a message is a phrase without a capital or full stop,
 * but NCLUE is a name; a hint is a sentence.
 */
static void
test_style(void **state)
{
	int			i;
	int			j;

	(void) state;
	for (i = 0; i < FAILURE_KINDS; i++)
	{
		const FailureRow *row = failure_row((FailureKind) i);
		size_t		length = strlen(row->message);

		assert_true(length > 0 && length < 80);
		assert_true(islower((unsigned char) row->message[0]) ||
					strncmp(row->message, "NCLUE ", 6) == 0);
		assert_true(isalnum((unsigned char) row->message[length - 1]) ||
					row->message[length - 1] == '"');
		assert_null(strchr(row->message, '\n'));
		assert_null(strstr(row->message, "  "));
		for (j = 0; j < i; j++)
			assert_string_not_equal(row->message,
									failure_row((FailureKind) j)->message);
		if (row->hint != NULL)
		{
			length = strlen(row->hint);
			assert_true(isupper((unsigned char) row->hint[0]));
			assert_int_equal(row->hint[length - 1], '.');
			assert_null(strchr(row->hint, '\n'));
			assert_null(strstr(row->hint, "  "));
		}
	}
}

/*
 * Every word in quotes is an option, or one of its values.
 */
static void
test_options_exist(void **state)
{
	static const char *const words[] = {
		"endpoint", "rate_limit", "max_in_flight", "max_retries", "timeout",
		"connect_timeout", "max_response_size", "index_unit", "ca_file",
		"proxy", "page_size", "access_key", "secret_key", "resource",
		"row", "page"
	};
	int			i;
	size_t		w;

	(void) state;
	for (i = 0; i < FAILURE_KINDS; i++)
	{
		const FailureRow *row = failure_row((FailureKind) i);
		const char *at = row->hint;

		while (at != NULL && (at = strchr(at, '"')) != NULL)
		{
			size_t		length = strcspn(at + 1, "\"");
			bool		known = false;

			for (w = 0; w < COUNT(words); w++)
				known = known || (strlen(words[w]) == length &&
								  strncmp(words[w], at + 1, length) == 0);
			if (!known)
				fail_msg("%s: no option: %s", row->name, at);
			at += length + 2;
		}
	}
}

static const struct
{
	FailureKind kind;
	const char *option;
}			named[] = {
	{FAILURE_RESOLVE, "\"endpoint\""},
	{FAILURE_RESOLVE_PROXY, "\"proxy\""},
	{FAILURE_CONNECT, "\"endpoint\""},
	{FAILURE_CERTIFICATE, "\"ca_file\""},
	{FAILURE_CA_FILE, "\"ca_file\""},
	{FAILURE_CONNECT_TIMEOUT, "\"connect_timeout\""},
	{FAILURE_TIMEOUT, "\"timeout\""},
	{FAILURE_AUTHENTICATION, "\"access_key\""},
	{FAILURE_AUTHENTICATION, "\"secret_key\""},
	{FAILURE_UNKNOWN_URL, "\"endpoint\""},
	{FAILURE_REDIRECT, "\"endpoint\""},
	{FAILURE_BODY_TOO_LARGE, "\"max_response_size\""},
	{FAILURE_UNIT, "\"index_unit\""}
};

static void
test_hints_name_options(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(named); i++)
	{
		const FailureRow *row = failure_row(named[i].kind);

		assert_non_null(row->hint);
		if (strstr(row->hint, named[i].option) == NULL)
			fail_msg("%s: the hint does not name %s", row->name,
					 named[i].option);
	}
}

static const struct
{
	int			status;
	const char *code;
	FailureKind kind;
}			answers[] = {
	{200, "", FAILURE_NONE},

	/* the gateway's table */
	{400, "100", FAILURE_BAD_REQUEST},
	{401, "200", FAILURE_AUTHENTICATION},
	{401, "210", FAILURE_PERMISSION},
	{403, "230", FAILURE_PERMISSION},
	{404, "300", FAILURE_UNKNOWN_URL},
	{413, "430", FAILURE_REQUEST_TOO_LARGE},
	{429, "400", FAILURE_QUOTA},
	{429, "410", FAILURE_THROTTLED},
	{429, "420", FAILURE_THROTTLED},
	{500, "900", FAILURE_SERVER},
	{503, "500", FAILURE_UNAVAILABLE},
	{504, "510", FAILURE_UNAVAILABLE},

	/* the same codes under 200: they decide */
	{200, "100", FAILURE_BAD_REQUEST},
	{200, "200", FAILURE_AUTHENTICATION},
	{200, "210", FAILURE_PERMISSION},
	{200, "230", FAILURE_PERMISSION},
	{200, "300", FAILURE_UNKNOWN_URL},
	{200, "400", FAILURE_QUOTA},
	{200, "410", FAILURE_THROTTLED},
	{200, "420", FAILURE_THROTTLED},
	{200, "430", FAILURE_REQUEST_TOO_LARGE},
	{200, "500", FAILURE_UNAVAILABLE},
	{200, "510", FAILURE_UNAVAILABLE},
	{200, "900", FAILURE_SERVER},
	{200, "10100", FAILURE_PERMISSION},

	/* and under a status they are not documented with */
	{403, "200", FAILURE_AUTHENTICATION},
	{403, "400", FAILURE_QUOTA},
	{500, "400", FAILURE_QUOTA},
	{500, "420", FAILURE_THROTTLED},
	{400, "300", FAILURE_UNKNOWN_URL},

	/* a body that repeats its status says nothing */
	{400, "400", FAILURE_BAD_REQUEST},
	{500, "500", FAILURE_SERVER},
	{300, "300", FAILURE_STATUS},
	{410, "410", FAILURE_STATUS},
	{420, "420", FAILURE_STATUS},
	{510, "510", FAILURE_STATUS},

	/* NCLUE's own */
	{401, "10100", FAILURE_PERMISSION},
	{403, "10100", FAILURE_PERMISSION},
	{422, "10101", FAILURE_BAD_REQUEST},
	{409, "10102", FAILURE_STATUS},
	{422, "10103", FAILURE_BAD_REQUEST},
	{422, "10104", FAILURE_BAD_REQUEST},
	{422, "10105", FAILURE_BAD_REQUEST},
	{404, "10106", FAILURE_NO_OBJECT},
	{404, "10107", FAILURE_NO_OBJECT},
	{404, "10108", FAILURE_NO_OBJECT},
	{422, "10109", FAILURE_BAD_REQUEST},

	/* codes that are none */
	{200, "OK", FAILURE_NONE},
	{200, "0", FAILURE_NONE},
	{401, "0200", FAILURE_AUTHENTICATION},
	{401, "210 ", FAILURE_AUTHENTICATION},
	{404, "404", FAILURE_NO_OBJECT},
	{404, "NOT_FOUND", FAILURE_NO_OBJECT},
	{429, "429", FAILURE_THROTTLED},
	{503, "UNAVAILABLE", FAILURE_UNAVAILABLE},
	{500, "99999", FAILURE_SERVER},

	/* statuses without a code */
	{400, "", FAILURE_BAD_REQUEST},
	{422, "", FAILURE_BAD_REQUEST},
	{401, "", FAILURE_AUTHENTICATION},
	{403, "", FAILURE_PERMISSION},
	{404, "", FAILURE_NO_OBJECT},
	{413, "", FAILURE_REQUEST_TOO_LARGE},
	{414, "", FAILURE_REQUEST_TOO_LARGE},
	{431, "", FAILURE_REQUEST_TOO_LARGE},
	{429, "", FAILURE_THROTTLED},
	{500, "", FAILURE_SERVER},
	{502, "", FAILURE_UNAVAILABLE},
	{503, "", FAILURE_UNAVAILABLE},
	{504, "", FAILURE_UNAVAILABLE},
	{301, "", FAILURE_REDIRECT},
	{302, "", FAILURE_REDIRECT},
	{303, "", FAILURE_REDIRECT},
	{307, "", FAILURE_REDIRECT},
	{308, "", FAILURE_REDIRECT},
	{0, "", FAILURE_STATUS},
	{100, "", FAILURE_STATUS},
	{201, "", FAILURE_STATUS},
	{204, "", FAILURE_STATUS},
	{206, "", FAILURE_STATUS},
	{304, "", FAILURE_STATUS},
	{402, "", FAILURE_STATUS},
	{405, "", FAILURE_STATUS},
	{408, "", FAILURE_STATUS},
	{409, "", FAILURE_STATUS},
	{410, "", FAILURE_STATUS},
	{418, "", FAILURE_STATUS},
	{501, "", FAILURE_STATUS},
	{505, "", FAILURE_STATUS},
	{599, "", FAILURE_STATUS},
	{999, "", FAILURE_STATUS}
};

static void
test_kind(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(answers); i++)
	{
		FailureKind kind = failure_kind(answers[i].status, answers[i].code);

		if (kind != answers[i].kind)
			fail_msg("status %d, code \"%s\": %s instead of %s",
					 answers[i].status, answers[i].code,
					 failure_row(kind)->name,
					 failure_row(answers[i].kind)->name);
	}
}

/*
 * Without a code only the statuses that may pass are sent again.
 */
static void
test_transient_statuses(void **state)
{
	int			status;

	(void) state;
	for (status = 100; status < 600; status++)
	{
		bool		passes = status == 429 || status == 500 ||
		status == 502 || status == 503 || status == 504;

		if (failure_row(failure_kind(status, ""))->transient != passes)
			fail_msg("status %d", status);
	}
}

static void
test_clear(void **state)
{
	Failure		failure;
	int			phase;

	(void) state;
	memset(&failure, 0xA5, sizeof(failure));
	failure_clear(&failure);
	assert_int_equal(failure.kind, FAILURE_NONE);
	assert_int_equal(failure.status, 0);
	assert_string_equal(failure.code, "");
	assert_string_equal(failure.message, "");
	assert_string_equal(failure.excerpt, "");
	assert_string_equal(failure.trace_id, "");
	assert_string_equal(failure.origin, "");
	assert_int_equal(failure.date_s, -1);
	for (phase = 0; phase < FAILURE_PHASES; phase++)
		assert_int_equal(failure.phase_us[phase], -1);
}

#define HANGUL "\xED\x95\x9C"	/* three bytes */
#define EMOJI "\xF0\x9F\x90\xB6"	/* four */

static const struct
{
	const char *text;
	size_t		length;
	size_t		size;
	const char *clipped;
}			clips[] = {
	{"", 0, 8, ""},
	{"abc", 3, 8, "abc"},
	{"abcdefg", 7, 8, "abcdefg"},
	{"abcdefgh", 8, 8, "abcdefg"},
	{"abc", 2, 8, "ab"},
	{"abc", 3, 1, ""},
	{"ab\0cd", 5, 8, "ab"},
	{"\0cd", 3, 8, ""},
	{"abcdefgh\0", 9, 8, "abcdefg"},
	{"abcd" HANGUL "e", 8, 8, "abcd" HANGUL},
	{"abcde" HANGUL, 8, 8, "abcde"},
	{"abcdef" HANGUL, 9, 8, "abcdef"},
	{"abcdefg" HANGUL, 10, 8, "abcdefg"},
	{"abcd" EMOJI, 8, 8, "abcd"},
	{"abc" EMOJI, 7, 8, "abc" EMOJI},
	{"abc" EMOJI "d", 8, 8, "abc" EMOJI},
	{EMOJI, 4, 4, ""},
	{EMOJI, 4, 5, EMOJI},
	/* no UTF-8: any cut is as good, but something stays */
	{"\x80\x80\x80\x80\x80\x80\x80\x80\x80", 9, 8,
	"\x80\x80\x80\x80\x80\x80\x80"},
	{"\x80\x80\x80", 3, 3, "\x80\x80"},
	{"a\x80\x80\x80\x80\x80\x80\x80\x80", 9, 8,
	"a\x80\x80\x80\x80\x80\x80"},
	{"abc\xF0\x80\x80\x80\x80", 8, 8, "abc\xF0\x80\x80\x80"},
	{"\xFF\xFE\xFF", 3, 3, "\xFF\xFE"}
};

static void
test_clip(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(clips); i++)
	{
		char	   *target = malloc(clips[i].size);
		char	   *text = malloc(clips[i].length + 1);

		assert_non_null(target);
		assert_non_null(text);
		text[		clips[i].length] = 'x';

		memcpy(text, clips[i].text, clips[i].length);
		memset(target, 'x', clips[i].size);
		failure_clip(target, clips[i].size, text, clips[i].length);
		assert_string_equal(target, clips[i].clipped);
		free(text);
		free(target);
	}
}

static void
test_clip_nothing(void **state)
{
	char		target[4] = "abc";

	(void) state;
	failure_clip(target, 0, "xyz", 3);
	assert_string_equal(target, "abc");
	failure_clip(target, sizeof(target), NULL, 0);
	assert_string_equal(target, "");
}

/*
 * Of random UTF-8 the result is the longest whole prefix that fits.
 */
static void
test_clip_property(void **state)
{
	static const char *const characters[] = {
		"a", "\xC3\xA9", HANGUL, EMOJI, "\xDF\xBF", "\xF4\x8F\xBF\xBF"
	};
	unsigned int seed = (unsigned int) time(NULL);
	int			round;

	(void) state;
	if (getenv("SEED") != NULL)
		seed = (unsigned int) strtoul(getenv("SEED"), NULL, 10);
	print_message("SEED=%u\n", seed);
	srand(seed);
	for (round = 0; round < 20000; round++)
	{
		char text[	64] = "";
		char		target[32];
		size_t		size = 1 + (size_t) rand() % sizeof(target);
		size_t		length = 0;
		size_t		fits = 0;
		int			n = rand() % 13;

		for (; n > 0; n--)
		{
			const char *c = characters[(size_t) rand() % COUNT(characters)];

			memcpy(text +length, c, strlen(c));
			length += strlen(c);
			if (length < size)
				fits = length;
		}
		failure_clip(target, size, text, length);
		if (strlen(target) != fits || memcmp(target, text, fits) != 0)
			fail_msg("round %d", round);
	}
}

/*
 * Kind and message are set, the message clipped; the rest stays.
 */
static void
test_say(void **state)
{
	Failure		failure;
	char		words[2 * sizeof(failure.message)];

	(void) state;
	failure_clear(&failure);
	failure.status = 503;
	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	failure_say(&failure, FAILURE_SHAPE, words);
	assert_int_equal(failure.kind, FAILURE_SHAPE);
	assert_int_equal(strlen(failure.message), sizeof(failure.message) - 1);
	assert_int_equal(failure.status, 503);
	failure_say(&failure, FAILURE_LOST, "");
	assert_int_equal(failure.kind, FAILURE_LOST);
	assert_string_equal(failure.message, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_say),
		cmocka_unit_test(test_style),
		cmocka_unit_test(test_options_exist),
		cmocka_unit_test(test_hints_name_options),
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_transient_statuses),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_clip),
		cmocka_unit_test(test_clip_nothing),
		cmocka_unit_test(test_clip_property)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
