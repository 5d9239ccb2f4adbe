/*
 * floor.c
 *	  What reading a list costs at the least: libcurl, with jansson or without.
 *
 * usage: floor URL IN_FLIGHT parse|bare [CA_FILE]
 *
 * Reads commands from its standard input, and keeps its connections between
 * them:
 *
 *	list FIRST END STEP LIMIT	pages from FIRST on, each STEP further, below END
 *	get ID ...					objects by their ids
 *
 * and answers each with a line: microseconds, microseconds of CPU, peak
 * resident kB, requests, rows (without parsing 0).  One request at a time is
 * curl_easy_perform(), the simplest loop there is.  Signs nothing and judges
 * nothing.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <jansson.h>

#define MAX_IN_FLIGHT 64
#define MAX_LINE 65536

typedef struct Request
{
	CURL	   *easy;
	char	   *body;
	size_t		used;
	size_t		size;
} Request;

/* What a command asks for: pages, or ids one after the other. */
typedef struct Work
{
	long		next;
	long		end;
	long		step;
	long		limit;
	char	   *ids;			/* NULL: pages */
	char	   *rest;			/* of the ids, strtok_r()'s */
} Work;

static const char *base;
static const char *ca_file;
static int	in_flight;
static int	parse;
static Request requests[MAX_IN_FLIGHT];
static long sent;
static long rows;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "floor: %s: %s\n", what, why);
	exit(1);
}

static long long
clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* The peak begins anew. */
static void
forget_peak(void)
{
	FILE	   *file = fopen("/proc/self/clear_refs", "w");

	if (file == NULL)
		return;
	fputs("5", file);
	fclose(file);
}

static long
peak_kb(void)
{
	FILE	   *file = fopen("/proc/self/status", "r");
	char		line[256];
	long		peak = 0;

	while (file != NULL && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %ld", &peak) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return peak;
}

static size_t
receive(char *data, size_t size, size_t count, void *user)
{
	Request    *request = user;
	size_t		length = size * count;

	if (length > request->size - request->used)
	{
		request->size = 2 * (request->used + length);
		request->body = realloc(request->body, request->size);
		if (request->body == NULL)
			fail("realloc", "no memory");
	}
	memcpy(request->body + request->used, data, length);
	request->used += length;
	return length;
}

/* Gives the handle the work's next request; false if there is none. */
static int
ask(Work *work, Request *request)
{
	char		url[1024];

	if (work->ids != NULL)
	{
		const char *id = strtok_r(work->rest ? NULL : work->ids, " \n",
								  &work->rest);

		if (id == NULL)
			return 0;
		snprintf(url, sizeof(url), "%s/tasks/%s", base, id);
	}
	else
	{
		if (work->next >= work->end)
			return 0;
		snprintf(url, sizeof(url), "%s/tasks?index=%ld&limit=%ld", base,
				 work->next, work->limit);
		work->next += work->step;
	}
	request->used = 0;
	curl_easy_setopt(request->easy, CURLOPT_URL, url);
	sent++;
	return 1;
}

static void
take(Request *request, CURLcode code)
{
	long		status = 0;
	json_error_t error;
	json_t	   *root;

	if (code != CURLE_OK)
		fail("transfer", curl_easy_strerror(code));
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		fail("transfer", "the status is not 200");
	if (!parse)
		return;
	root = json_loadb(request->body, request->used,
					  JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (root == NULL)
		fail("jansson", error.text);
	if (json_object_get(root, "tasks") != NULL)
		rows += json_array_size(json_object_get(root, "tasks"));
	else
		rows++;
	json_decref(root);
}

static void
run_sequential(Work *work)
{
	while (ask(work, &requests[0]))
		take(&requests[0], curl_easy_perform(requests[0].easy));
}

static void
run_parallel(CURLM *multi, Work *work)
{
	int			running;
	int			i;

	for (i = 0; i < in_flight && ask(work, &requests[i]); i++)
		curl_multi_add_handle(multi, requests[i].easy);
	do
	{
		CURLMsg    *message;
		int			left;

		curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
		{
			CURL	   *easy = message->easy_handle;
			CURLcode	code = message->data.result;
			Request    *request;

			curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
			curl_multi_remove_handle(multi, easy);
			take(request, code);
			if (ask(work, request))
			{
				curl_multi_add_handle(multi, easy);
				running++;
			}
		}
		if (running > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	} while (running > 0);
}

static void
open_handles(void)
{
	int			i;

	for (i = 0; i < in_flight; i++)
	{
		CURL	   *easy = curl_easy_init();

		requests[i].easy = easy;
		curl_easy_setopt(easy, CURLOPT_PRIVATE, &requests[i]);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
		curl_easy_setopt(easy, CURLOPT_WRITEDATA, &requests[i]);
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
		curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
		if (ca_file != NULL)
			curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	}
}

int
main(int argc, char **argv)
{
	static char line[MAX_LINE];
	CURLM	   *multi;

	if (argc < 4)
		fail("usage", "floor URL IN_FLIGHT parse|bare [CA_FILE]");
	base = argv[1];
	in_flight = atoi(argv[2]);
	parse = strcmp(argv[3], "parse") == 0;
	ca_file = argc > 4 ? argv[4] : NULL;
	if (in_flight < 1 || in_flight > MAX_IN_FLIGHT)
		fail("usage", "1 to 64 in flight");

	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	open_handles();

	while (fgets(line, sizeof(line), stdin))
	{
		Work		work = {0};
		long long	began_us;
		long long	began_cpu_us;

		if (strncmp(line, "get ", 4) == 0)
			work.ids = line + 4;
		else if (sscanf(line, "list %ld %ld %ld %ld", &work.next, &work.end,
						&work.step, &work.limit) != 4)
			fail("command", line);
		sent = rows = 0;
		forget_peak();
		began_us = clock_us(CLOCK_MONOTONIC);
		began_cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
		if (in_flight == 1)
			run_sequential(&work);
		else
			run_parallel(multi, &work);
		printf("%lld %lld %ld %ld %ld\n",
			   clock_us(CLOCK_MONOTONIC) - began_us,
			   clock_us(CLOCK_PROCESS_CPUTIME_ID) - began_cpu_us,
			   peak_kb(), sent, rows);
		fflush(stdout);
	}
	return 0;
}
