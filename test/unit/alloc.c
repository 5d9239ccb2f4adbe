/*
 * alloc.c
 *	  Memory that runs out.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <openssl/crypto.h>

#include "alloc.h"

/* The C library's, whatever the linker calls these. */
extern void *__real_malloc(size_t size);
extern void *__real_calloc(size_t count, size_t size);
extern void *__real_realloc(void *memory, size_t size);
extern void __real_free(void *memory);

extern void *__wrap_malloc(size_t size);
extern void *__wrap_calloc(size_t count, size_t size);
extern void *__wrap_realloc(void *memory, size_t size);
extern char *__wrap_strdup(const char *text);
extern void __wrap_free(void *memory);

void		(*alloc_watch) (const void *memory);
bool		alloc_openssl_may_leak;

static long live;
static long live_openssl;		/* of these, OpenSSL's */
static bool armed;				/* from here on, of the armed thread */
static pthread_t armed_thread;
static long count;
static long fail_first;
static long fail_last;
static bool failed;

static bool
fails(void)
{
	long		n;

	if (!armed || !pthread_equal(pthread_self(), armed_thread))
		return false;
	n = count++;
	if (n < fail_first || n > fail_last)
		return false;
	failed = true;
	return true;
}

static void *
counted(void *memory)
{
	if (memory != NULL)
		__atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
	return memory;
}

void *
alloc_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *
alloc_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *
alloc_realloc(void *memory, size_t size)
{
	if (fails())
		return NULL;
	return memory == NULL ? counted(__real_malloc(size)) :
		__real_realloc(memory, size);
}

char *
alloc_strdup(const char *text)
{
	size_t		size = strlen(text) + 1;
	char	   *copy = alloc_malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}

void
alloc_free(void *memory)
{
	if (memory == NULL)
		return;
	if (alloc_watch != NULL)
		alloc_watch(memory);
	__atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
	__real_free(memory);
}

void *
__wrap_malloc(size_t size)
{
	return alloc_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return alloc_calloc(n, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
	return alloc_realloc(memory, size);
}

char *
__wrap_strdup(const char *text)
{
	return alloc_strdup(text);
}

void
__wrap_free(void *memory)
{
	alloc_free(memory);
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	void	   *memory = alloc_malloc(size);

	(void) file;
	(void) line;
	if (memory != NULL)
		__atomic_add_fetch(&live_openssl, 1, __ATOMIC_RELAXED);
	return memory;
}

static void *
openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	if (memory == NULL)
		return openssl_malloc(size, file, line);
	return alloc_realloc(memory, size);
}

static void
openssl_free(void *memory, const char *file, int line)
{
	(void) file;
	(void) line;
	if (memory != NULL)
		__atomic_sub_fetch(&live_openssl, 1, __ATOMIC_RELAXED);
	alloc_free(memory);
}

void
alloc_openssl(void)
{
	assert_true(CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
										 openssl_free));
}

void
alloc_curl(void)
{
	assert_int_equal(curl_global_init_mem(CURL_GLOBAL_DEFAULT, alloc_malloc,
										  alloc_free, alloc_realloc,
										  alloc_strdup, alloc_calloc),
					 CURLE_OK);
}

void
alloc_fail(long first, long last)
{
	armed_thread = pthread_self();
	count = 0;
	fail_first = first;
	fail_last = last;
	failed = false;
	armed = true;
}

bool
alloc_failed(void)
{
	return failed;
}

bool
alloc_stop(void)
{
	armed = false;
	return failed;
}

long
alloc_live(void)
{
	long		others = alloc_openssl_may_leak ?
	__atomic_load_n(&live_openssl, __ATOMIC_RELAXED) : 0;

	return __atomic_load_n(&live, __ATOMIC_RELAXED) - others;
}

/*
 * The allocation to fail after the n-th.
 */
static long
after(long n)
{
	return n + (n < 300 || getenv("MEMORY_LONG") != NULL ? 1 : 40);
}

/*
 * One attempt, without a block left behind.  Returns whether one failed.
 */
static bool
attempt_once(void (*attempt) (void *argument), void *argument,
			 long first, long last)
{
	long		before = alloc_live();

	alloc_fail(first, last);
	attempt(argument);
	assert_false(armed);
	if (alloc_live() > before)
	{
		/* a library may keep something, once */
		before = alloc_live();
		alloc_fail(first, last);
		attempt(argument);
		assert_true(alloc_live() <= before);
	}
	return failed;
}

long
alloc_each(void (*attempt) (void *argument), void *argument)
{
	long		n;

	attempt_once(attempt, argument, LONG_MAX, LONG_MAX);
	for (n = 0; attempt_once(attempt, argument, n, LONG_MAX); n = after(n))
		;
	for (n = 0; attempt_once(attempt, argument, n, n); n = after(n))
		;
	return count;
}

/*
 * Waits for a child; ends it where it hangs, and then returns false.
 */
static bool
await_child(pid_t child, int *status)
{
	const struct timespec patience = {5, 0};
	sigset_t	ends;
	pid_t		ended;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	while ((ended = waitpid(child, status, WNOHANG)) == 0)
	{
		if (sigtimedwait(&ends, NULL, &patience) < 0)
		{
			kill(child, SIGKILL);
			waitpid(child, status, 0);
			return false;
		}
	}
	assert_int_equal(ended, child);
	return true;
}

long
alloc_each_first(bool (*attempt) (void))
{
	sigset_t	ends;
	int			hung = 0;
	int			status;
	long		n;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	/* 42: right, and without an allocation that failed */
	for (n = 0;; n = after(n))
	{
		pid_t		child = fork();

		assert_true(child >= 0);
		if (child == 0)
		{
			/* a crash is for the parent to see, not for cmocka here */
			signal(SIGSEGV, SIG_DFL);
			signal(SIGABRT, SIG_DFL);
			alloc_fail(n, n);
			_exit(!attempt() ? 1 : failed ? 0 : 42);
		}
		if (!await_child(child, &status))
		{
			/* OpenSSL 3.5 locks itself out in two places */
			assert_true(++hung < 10);
			continue;
		}
		if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
		{
			sigprocmask(SIG_UNBLOCK, &ends, NULL);
			return n;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("allocation %ld: status %x", n, (unsigned int) status);
	}
}
