/*
 * test_iso8601.c
 *	  Every form of a time that the service may send, and its neighbours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iso8601.h"

static const struct
{
	const char *text;
	Iso8601		form;
}			cases[] = {

	/* the API's own example */
	{"2024-11-11T11:01:30", ISO8601_LOCAL},

	{"2024-11-11t11:01:30", ISO8601_LOCAL},
	{"2024-11-11 11:01:30", ISO8601_LOCAL},
	{"2024-11-11T11:01", ISO8601_LOCAL},
	{"2024-11-11T11:01:30.1", ISO8601_LOCAL},
	{"2024-11-11T11:01:30,123456789", ISO8601_LOCAL},
	{"0000-01-01T00:00:00", ISO8601_LOCAL},
	{"9999-12-31T23:59:60", ISO8601_LOCAL},
	{"2024-02-31T11:01:30", ISO8601_LOCAL}, /* the calendar is not judged */

	{"2024-11-11T11:01:30Z", ISO8601_OFFSET},
	{"2024-11-11T11:01:30z", ISO8601_OFFSET},
	{"2024-11-11T11:01Z", ISO8601_OFFSET},
	{"2024-11-11T11:01:30.123Z", ISO8601_OFFSET},
	{"2024-11-11T11:01:30+09", ISO8601_OFFSET},
	{"2024-11-11T11:01:30+0900", ISO8601_OFFSET},
	{"2024-11-11T11:01:30+09:00", ISO8601_OFFSET},
	{"2024-11-11T11:01:30-0330", ISO8601_OFFSET},
	{"2024-11-11T11:01:30.5-15:59", ISO8601_OFFSET},
	{"2024-11-11 11:01+00:00", ISO8601_OFFSET},

	{"", ISO8601_NONE},
	{"now", ISO8601_NONE},
	{"2024-11-11", ISO8601_NONE},
	{"2024-11-11T", ISO8601_NONE},
	{"2024-11-11T11", ISO8601_NONE},
	{"2024-11-11T11:", ISO8601_NONE},
	{"2024-11-11T11:01:", ISO8601_NONE},
	{"2024-11-11T1101", ISO8601_NONE},
	{"20241111T110130", ISO8601_NONE},
	{"2024-11-11  11:01:30", ISO8601_NONE},
	{" 2024-11-11T11:01:30", ISO8601_NONE},
	{"2024-11-11T11:01:30 ", ISO8601_NONE},
	{"2024-11-11_11:01:30", ISO8601_NONE},
	{"24-11-11T11:01:30", ISO8601_NONE},
	{"12024-11-11T11:01:30", ISO8601_NONE},
	{"2024-1-11T11:01:30", ISO8601_NONE},
	{"-2024-11-11T11:01:30", ISO8601_NONE},
	{"2024/11/11T11:01:30", ISO8601_NONE},
	{"2024-00-11T11:01:30", ISO8601_NONE},
	{"2024-13-11T11:01:30", ISO8601_NONE},
	{"2024-11-00T11:01:30", ISO8601_NONE},
	{"2024-11-32T11:01:30", ISO8601_NONE},
	{"2024-11-11T24:00:00", ISO8601_NONE},
	{"2024-11-11T11:60:30", ISO8601_NONE},
	{"2024-11-11T11:01:61", ISO8601_NONE},
	{"2024-11-11T11:01:30.", ISO8601_NONE},
	{"2024-11-11T11:01:30.Z", ISO8601_NONE},
	{"2024-11-11T11:01:30.1234567890", ISO8601_NONE},
	{"2024-11-11T11:01.5", ISO8601_NONE},
	{"2024-11-11T11:01:30+", ISO8601_NONE},
	{"2024-11-11T11:01:30+9", ISO8601_NONE},
	{"2024-11-11T11:01:30+090", ISO8601_NONE},
	{"2024-11-11T11:01:30+09:", ISO8601_NONE},
	{"2024-11-11T11:01:30+09:0", ISO8601_NONE},
	{"2024-11-11T11:01:30+09:60", ISO8601_NONE},
	{"2024-11-11T11:01:30+16", ISO8601_NONE},
	{"2024-11-11T11:01:30+09:000", ISO8601_NONE},
	{"2024-11-11T11:01:30+09:00:00", ISO8601_NONE},
	{"2024-11-11T11:01:30 +09:00", ISO8601_NONE},
	{"2024-11-11T11:01:30ZZ", ISO8601_NONE},
	{"2024-11-11T11:01:30 KST", ISO8601_NONE},
	{"2024-11-11T11:01:30[Asia/Seoul]", ISO8601_NONE},
	{"\xEF\xBC\x92" "024-11-11T11:01:30", ISO8601_NONE}
};

static void
test_form(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Iso8601		form = iso8601_form(cases[i].text, strlen(cases[i].text));

		if (form != cases[i].form)
			fail_msg("\"%s\": form %d instead of %d", cases[i].text,
					 (int) form, (int) cases[i].form);
	}
}

static void
test_length_counts(void **state)
{
	const char *text = "2024-11-11T11:01:30+0900";

	(void) state;
	assert_int_equal(iso8601_form(text, 19), ISO8601_LOCAL);
	assert_int_equal(iso8601_form(text, 20), ISO8601_NONE);
	assert_int_equal(iso8601_form("2024-11-11T11:01:30\0Z", 21),
					 ISO8601_NONE);
}

/*
 * No prefix is read past its end: each is a block of its own, so that a
 * sanitizer or valgrind sees it.
 */
static void
test_prefixes(void **state)
{
	size_t		i;
	size_t		length;

	(void) state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		for (length = 0; length <= strlen(cases[i].text); length++)
		{
			char	   *copy = malloc(length > 0 ? length : 1);

			assert_non_null(copy);
			memcpy(copy, cases[i].text, length);
			if (length < 16)
				assert_int_equal(iso8601_form(copy, length), ISO8601_NONE);
			else
				(void) iso8601_form(copy, length);
			free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_length_counts),
		cmocka_unit_test(test_prefixes)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
