/*
 * bodies.h
 *	  What the tests of doc.c share: bodies, and reading one that is right.
 */
#ifndef NCLUE_BODIES_H
#define NCLUE_BODIES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "doc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPEAT_10(x) x x x x x x x x x x

/* Seeds rand(), from the environment's SEED if it is set. */
static inline void
seed(void)
{
	unsigned int number = (unsigned int) time(NULL);

	if (getenv("SEED") != NULL)
		number = (unsigned int) strtoul(getenv("SEED"), NULL, 10);
	print_message("SEED=%u\n", number);
	srand(number);
}

static inline Doc *
parse(const char *body)
{
	Failure		failure;
	Doc		   *doc;

	failure_clear(&failure);
	doc = doc_parse(body, strlen(body), &failure);
	if (doc == NULL)
		fail_msg("\"%s\": %s", body, failure.message);
	return doc;
}

/* "inner" with so many pairs of "open" and "close" around it. */
static inline char *
nested(int depth, const char *open, const char *inner, const char *close)
{
	char	   *body = malloc((size_t) depth *
							  (strlen(open) + strlen(close)) +
							  strlen(inner) + 1);
	int			i;

	assert_non_null(body);
	body[0] = '\0';
	for (i = 0; i < depth; i++)
		memcpy(body + (size_t) i * strlen(open), open, strlen(open) + 1);
	strcat(body, inner);
	for (i = 0; i < depth; i++)
		memcpy(body + (size_t) depth * strlen(open) + strlen(inner) +
			   (size_t) i * strlen(close), close, strlen(close) + 1);
	return body;
}

/* A page of the API's documented example. */
static inline char *
example_page(int objects)
{
	static const char object[] =
	"{\"task_id\":\"7db18fb6-55ca-4774-94f5-1e87367572%02d\","
	"\"task_name\":\"Prediction model for pet food purchase interest\","
	"\"status\":\"completed\",\"created_at\":\"2024-11-11T11:01:30\","
	"\"completed_at\":\"2024-11-11T11:06:44\","
	"\"train_feature_id\":\"79eb85b5-8ec5-4e1a-8617-64a1977c8062\","
	"\"train_feature_name\":\"Shopping behavior sequence - 2024\","
	"\"train_bucket\":\"your.bucket.name\","
	"\"train_file_path\":\"task_dataset/pet_food.tsv\","
	"\"test_feature_id\":null,\"test_feature_name\":null,"
	"\"test_bucket\":null,\"test_file_path\":null,\"AUROC\":0.9054,"
	"\"line_count\":1209478,\"disk_usage\":72582684,"
	"\"fail_message\":null}";
	size_t		size = (size_t) objects * sizeof(object) + 200;
	char	   *body = malloc(size);
	size_t		used;
	int			i;

	assert_non_null(body);
	used = (size_t) snprintf(body, size, "{\"index\":0,\"limit\":100,"
							 "\"total\":%d,\"tasks\":[", objects);
	for (i = 0; i < objects; i++)
	{
		if (i > 0)
			body[used++] = ',';
		used += (size_t) snprintf(body + used, size - used, object, i % 100);
	}
	memcpy(body + used, "]}", 3);
	return body;
}

#endif
