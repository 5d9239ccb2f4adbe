/*
 * resource.c
 *	  The lists that the service has, as data.
 *
 * Paths, keys and types are the API documentation's (NCLUE, "list" and "get"
 * pages of each resource); the comments are what \d+ shows.
 */
#include "resource.h"

#include <stdbool.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fields that mean the same wherever they appear. */
#define TIMES(what) \
	{"created_at", "created_at", FIELD_TIME, \
		"When the " what " was registered; a time without an offset is read " \
	"in the server's time_zone"}, \
	{"completed_at", "completed_at", FIELD_TIME, \
		"When the " what " was finished; a time without an offset is read " \
	"in the server's time_zone"}

#define STATUS \
	{"status", "status", FIELD_TEXT, \
		"State of the job: registered, pending, in_progress, completed or " \
	"failed"}

#define FAIL_MESSAGE \
	{"fail_message", "fail_message", FIELD_TEXT, \
		"Why the job failed; null unless it did"}

#define RESULT_FILE \
	{"result_bucket", "result_bucket", FIELD_TEXT, \
		"Object Storage bucket that the result is written to"}, \
	{"result_file_path", "result_file_path", FIELD_TEXT, \
		"Path of the result within its bucket"}

static const ResourceField task_fields[] = {
	{"task_id", "task_id", FIELD_TEXT,
	"Identifies the task; a condition on it costs one request"},
	{"task_name", "task_name", FIELD_TEXT, "Name of the task"},
	STATUS,
	TIMES("task"),
	{"train_feature_id", "train_feature_id", FIELD_TEXT,
	"Feature that the model is trained on (nclue_features.feature_id)"},
	{"train_feature_name", "train_feature_name", FIELD_TEXT,
	"Name of the feature that the model is trained on"},
	{"train_bucket", "train_bucket", FIELD_TEXT,
	"Object Storage bucket of the training data"},
	{"train_file_path", "train_file_path", FIELD_TEXT,
	"Path of the training data within its bucket"},
	{"test_feature_id", "test_feature_id", FIELD_TEXT,
		"Feature that the model is tested on (nclue_features.feature_id); null "
	"without test data"},
	{"test_feature_name", "test_feature_name", FIELD_TEXT,
	"Name of the feature that the model is tested on"},
	{"test_bucket", "test_bucket", FIELD_TEXT,
	"Object Storage bucket of the test data"},
	{"test_file_path", "test_file_path", FIELD_TEXT,
	"Path of the test data within its bucket"},
	{"AUROC", "auroc", FIELD_REAL,
	"Quality of the model: area under the ROC curve, 0 to 1"},
	{"line_count", "line_count", FIELD_INTEGER,
	"Lines of the training data"},
	{"disk_usage", "disk_usage", FIELD_INTEGER,
	"Storage that the task takes, in bytes"},
	FAIL_MESSAGE
};

static const ResourceField feature_fields[] = {
	{"feature_id", "feature_id", FIELD_TEXT,
	"Identifies the feature; a condition on it costs one request"},
	{"feature_name", "feature_name", FIELD_TEXT, "Name of the feature"},
	STATUS,
	TIMES("feature"),
	{"source_bucket", "source_bucket", FIELD_TEXT,
	"Object Storage bucket of the source data"},
	{"source_file_path", "source_file_path", FIELD_TEXT,
	"Path of the source data within its bucket"},
	{"user_count", "user_count", FIELD_INTEGER,
	"Users in the source data"},
	{"token_count", "token_count", FIELD_INTEGER,
	"Tokens in the source data"},
	{"disk_usage", "disk_usage", FIELD_INTEGER,
	"Storage that the feature takes, in bytes"},
	FAIL_MESSAGE
};

static const ResourceField task_run_fields[] = {
	{"run_id", "run_id", FIELD_TEXT,
	"Identifies the run; a condition on it costs one request"},
	{"run_name", "run_name", FIELD_TEXT, "Name of the run"},
	{"task_id", "task_id", FIELD_TEXT,
	"Task whose model is applied (nclue_tasks.task_id)"},
	{"task_name", "task_name", FIELD_TEXT,
	"Name of the task whose model is applied"},
	{"feature_id", "feature_id", FIELD_TEXT,
	"Feature that the model is applied to (nclue_features.feature_id)"},
	{"feature_name", "feature_name", FIELD_TEXT,
	"Name of the feature that the model is applied to"},
	STATUS,
	TIMES("run"),
	RESULT_FILE,
	{"line_count", "line_count", FIELD_INTEGER, "Lines of the result"},
	FAIL_MESSAGE
};

static const ResourceField shopping_intent_fields[] = {
	{"profile_id", "profile_id", FIELD_TEXT,
	"Identifies the profile; a condition on it costs one request"},
	{"profile_name", "profile_name", FIELD_TEXT, "Name of the profile"},
	{"task_id", "task_id", FIELD_TEXT,
	"Task that the profile is made for (nclue_tasks.task_id)"},
	{"task_name", "task_name", FIELD_TEXT,
	"Name of the task that the profile is made for"},
	STATUS,
	TIMES("profile"),
	{"line_count", "line_count", FIELD_INTEGER, "Lines of the profile"},
	{"disk_usage", "disk_usage", FIELD_INTEGER,
	"Storage that the profile takes, in bytes"},
	FAIL_MESSAGE
};

static const ResourceField custom_attribute_fields[] = {
	{"profile_id", "profile_id", FIELD_TEXT,
	"Identifies the profile; a condition on it costs one request"},
	{"profile_name", "profile_name", FIELD_TEXT, "Name of the profile"},
	{"feature_id", "feature_id", FIELD_TEXT,
	"Feature that the profile is made from (nclue_features.feature_id)"},
	{"feature_name", "feature_name", FIELD_TEXT,
	"Name of the feature that the profile is made from"},
	{"keyword_set", "keyword_set", FIELD_TEXT,
	"Keywords of the profile, joined by commas"},
	STATUS,
	TIMES("profile"),
	RESULT_FILE,
	{"line_count", "line_count", FIELD_INTEGER, "Lines of the result"},
	FAIL_MESSAGE
};

const Resource resources[RESOURCES] = {
	{"tasks", "nclue_tasks", "/tasks", "tasks", "task_id",
		"NCLUE tasks: prediction models and the jobs that train them",
	task_fields, COUNT(task_fields)},
	{"features", "nclue_features", "/features", "features", "feature_id",
		"NCLUE features: user behaviour prepared for training and prediction",
	feature_fields, COUNT(feature_fields)},
	{"task-runs", "nclue_task_runs", "/task-runs", "runs", "run_id",
		"NCLUE task runs: applications of a task's model to a feature",
	task_run_fields, COUNT(task_run_fields)},
	{"shopping-intents", "nclue_shopping_intents",
		"/profile/shopping-intents", "profiles", "profile_id",
		"NCLUE profiles of shopping intents",
	shopping_intent_fields, COUNT(shopping_intent_fields)},
	{"custom-attributes", "nclue_custom_attributes",
		"/profile/custom-attributes", "profiles", "profile_id",
		"NCLUE profiles of custom attributes",
	custom_attribute_fields, COUNT(custom_attribute_fields)}
};

const Resource *
resource_find(const char *name)
{
	size_t		i;

	for (i = 0; i < RESOURCES; i++)
	{
		if (strcmp(resources[i].name, name) == 0)
			return &resources[i];
	}
	return NULL;
}

/* Not tolower(): that of a Turkish locale makes no "i" of "I". */
static int
lower(char c)
{
	return 'A' <= c && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool
same_but_for_case(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b))
	{
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

const ResourceField *
resource_field(const Resource *resource, const char *name)
{
	size_t		i;

	for (i = 0; i < resource->nfields; i++)
	{
		/* Keys and columns differ in case at most. */
		if (same_but_for_case(resource->fields[i].key, name))
			return &resource->fields[i];
	}
	return NULL;
}
