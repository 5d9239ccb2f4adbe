/*
 * test_resource.c
 *	  The five lists, written down a second time from the API's documentation.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resource.h"

/* A field as key:kind, the kinds being t(ext), d(ate), i(nteger), r(eal). */
static const struct
{
	const char *name;
	const char *table;
	const char *path;
	const char *array_key;
	const char *id_key;
	const char *fields;
}			expected[] = {

	{
		"tasks", "nclue_tasks", "/tasks", "tasks", "task_id",
		"task_id:t task_name:t status:t created_at:d completed_at:d "
		"train_feature_id:t train_feature_name:t train_bucket:t "
		"train_file_path:t test_feature_id:t test_feature_name:t "
		"test_bucket:t test_file_path:t AUROC:r line_count:i disk_usage:i "
		"fail_message:t"
	},
	{
		"features", "nclue_features", "/features", "features", "feature_id",
		"feature_id:t feature_name:t status:t created_at:d completed_at:d "
		"source_bucket:t source_file_path:t user_count:i token_count:i "
		"disk_usage:i fail_message:t"
	},
	{
		"task-runs", "nclue_task_runs", "/task-runs", "runs", "run_id",
		"run_id:t run_name:t task_id:t task_name:t feature_id:t "
		"feature_name:t status:t created_at:d completed_at:d "
		"result_bucket:t result_file_path:t line_count:i fail_message:t"
	},
	{
		"shopping-intents", "nclue_shopping_intents",
		"/profile/shopping-intents", "profiles", "profile_id",
		"profile_id:t profile_name:t task_id:t task_name:t status:t "
		"created_at:d completed_at:d line_count:i disk_usage:i "
		"fail_message:t"
	},
	{
		"custom-attributes", "nclue_custom_attributes",
		"/profile/custom-attributes", "profiles", "profile_id",
		"profile_id:t profile_name:t feature_id:t feature_name:t "
		"keyword_set:t status:t created_at:d completed_at:d "
		"result_bucket:t result_file_path:t line_count:i fail_message:t"
	}
};

static char
kind_letter(FieldKind kind)
{
	switch (kind)
	{
		case FIELD_TEXT:
			return 't';
		case FIELD_TIME:
			return 'd';
		case FIELD_INTEGER:
			return 'i';
		case FIELD_REAL:
			return 'r';
	}
	return '?';
}

static void
test_lists(void **state)
{
	size_t		i;
	size_t		f;

	(void) state;
	assert_int_equal(RESOURCES, sizeof(expected) / sizeof(expected[0]));
	for (i = 0; i < RESOURCES; i++)
	{
		const Resource *resource = &resources[i];
		char		fields[1000] = "";

		assert_string_equal(resource->name, expected[i].name);
		assert_string_equal(resource->table, expected[i].table);
		assert_string_equal(resource->path, expected[i].path);
		assert_string_equal(resource->array_key, expected[i].array_key);
		assert_string_equal(resource->id_key, expected[i].id_key);
		for (f = 0; f < resource->nfields; f++)
			snprintf(fields + strlen(fields), sizeof(fields) - strlen(fields),
					 "%s%s:%c", f > 0 ? " " : "", resource->fields[f].key,
					 kind_letter(resource->fields[f].kind));
		assert_string_equal(fields, expected[i].fields);
	}
}

/*
 * A column has its key's name in lower case, so that it needs no quotes, and
 * the first field is the id.
 */
static void
test_columns(void **state)
{
	size_t		i;
	size_t		f;
	size_t		c;

	(void) state;
	for (i = 0; i < RESOURCES; i++)
	{
		assert_string_equal(resources[i].fields[0].key, resources[i].id_key);
		for (f = 0; f < resources[i].nfields; f++)
		{
			const ResourceField *field = &resources[i].fields[f];

			assert_int_equal(strlen(field->key), strlen(field->column));
			for (c = 0; field->key[c] != '\0'; c++)
				assert_int_equal(tolower((unsigned char) field->key[c]),
								 field->column[c]);
		}
	}
}

static void
expect_in(const char *comment, const char *key, const char *part)
{
	if (strstr(comment, part) == NULL)
		fail_msg("the comment on %s does not say \"%s\": %s", key, part,
				 comment);
}

static void
expect_style(const char *comment)
{
	size_t		length = strlen(comment);

	assert_true(length > 0 && length < 120);
	assert_true(isupper((unsigned char) comment[0]));
	assert_true(comment[length - 1] != '.');
	assert_null(strstr(comment, "  "));
}

static void
test_comments(void **state)
{
	size_t		i;
	size_t		f;

	(void) state;
	for (i = 0; i < RESOURCES; i++)
	{
		expect_style(resources[i].comment);
		for (f = 0; f < resources[i].nfields; f++)
		{
			const ResourceField *field = &resources[i].fields[f];

			expect_style(field->comment);
			if (f == 0)
				expect_in(field->comment, field->key, "Identifies");
			if (field->kind == FIELD_TIME)
				expect_in(field->comment, field->key,
						  "without an offset is read in the server's "
						  "time_zone");
			if (strcmp(field->key, "disk_usage") == 0)
				expect_in(field->comment, field->key, "in bytes");
			if (strcmp(field->key, "AUROC") == 0)
				expect_in(field->comment, field->key, "0 to 1");
			if (strcmp(field->key, "status") == 0)
			{
				expect_in(field->comment, field->key, "registered");
				expect_in(field->comment, field->key, "pending");
				expect_in(field->comment, field->key, "in_progress");
				expect_in(field->comment, field->key, "completed");
				expect_in(field->comment, field->key, "failed");
			}
		}
	}
}

static void
test_find(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < RESOURCES; i++)
		assert_ptr_equal(resource_find(resources[i].name), &resources[i]);
	assert_null(resource_find(""));
	assert_null(resource_find("task"));
	assert_null(resource_find("Tasks"));
	assert_null(resource_find("tasks "));
	assert_null(resource_find("task_runs"));
	assert_null(resource_find("nclue_tasks"));
}

static void
test_field(void **state)
{
	const Resource *tasks = resource_find("tasks");
	const ResourceField *auroc;
	size_t		i;
	size_t		f;

	(void) state;
	for (i = 0; i < RESOURCES; i++)
	{
		for (f = 0; f < resources[i].nfields; f++)
		{
			const ResourceField *field = &resources[i].fields[f];

			assert_ptr_equal(resource_field(&resources[i], field->key), field);
			assert_ptr_equal(resource_field(&resources[i], field->column),
							 field);
		}
	}
	auroc = resource_field(tasks, "auroc");
	assert_non_null(auroc);
	assert_ptr_equal(resource_field(tasks, "AUROC"), auroc);
	assert_ptr_equal(resource_field(tasks, "AuRoC"), auroc);
	assert_ptr_equal(resource_field(tasks, "TASK_ID"), &tasks->fields[0]);
	assert_null(resource_field(tasks, ""));
	assert_null(resource_field(tasks, "auro"));
	assert_null(resource_field(tasks, "aurocs"));
	assert_null(resource_field(tasks, "run_id"));
	assert_null(resource_field(tasks, "task-id"));
	/* '_' and DEL differ by the bit that tells upper from lower case */
	assert_null(resource_field(tasks, "task\x7Fid"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_field)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
