/*
 * delay.c
 *	  A TCP proxy that stands for a long way: every byte arrives later by half
 *	  the round trip, and nothing else is slower.
 *
 * usage: delay MILLISECONDS PORT
 *
 * MILLISECONDS is the round trip, PORT the server's on 127.0.0.1.  Prints the
 * port it listens on as its first line, and ends with its standard input.
 * What has been read is kept, however much it is, and passed on when it is
 * due, so the delay limits no throughput.  Connecting takes a round trip too:
 * the kernel answers at once, so a client's first bytes are held that much
 * longer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 512
#define CHUNK 65536

typedef struct Chunk
{
	struct Chunk *next;
	long long	due_ns;
	size_t		length;
	size_t		written;
	char		data[];
} Chunk;

/* One direction of a connection. */
typedef struct Way
{
	int			from;
	int			to;
	long long	open_ns;		/* nothing counts as read before */
	Chunk	   *first;
	Chunk	  **last;
	int			ended;			/* from has nothing more */
	int			closed;			/* and to was told so */
} Way;

typedef struct Connection
{
	Way			ways[2];
	int			used;
} Connection;

static Connection connections[MAX_CONNECTIONS];
static long long half_ns;
static struct sockaddr_in server = {.sin_family = AF_INET};

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static long long
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void
start_way(Way *way, int from, int to, long long open_ns)
{
	way->from = from;
	way->to = to;
	way->open_ns = open_ns;
	way->first = NULL;
	way->last = &way->first;
	way->ended = way->closed = 0;
}

static void
drop(Connection *connection)
{
	int			i;

	for (i = 0; i < 2; i++)
	{
		Way		   *way = &connection->ways[i];

		while (way->first != NULL)
		{
			Chunk	   *chunk = way->first;

			way->first = chunk->next;
			free(chunk);
		}
	}
	close(connection->ways[0].from);
	close(connection->ways[0].to);
	connection->used = 0;
}

static void
accept_one(int listener)
{
	int			client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	int			upstream;
	int			one = 1;
	int			i;

	if (client < 0)
		return;
	for (i = 0; i < MAX_CONNECTIONS && connections[i].used; i++)
		;
	upstream = socket(AF_INET, SOCK_STREAM, 0);
	if (i == MAX_CONNECTIONS || upstream < 0 ||
		connect(upstream, (struct sockaddr *) &server, sizeof(server)) < 0)
	{
		close(client);
		if (upstream >= 0)
			close(upstream);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	connections[i].used = 1;
	start_way(&connections[i].ways[0], client, upstream,
			  now_ns() + 2 * half_ns);
	start_way(&connections[i].ways[1], upstream, client, 0);
}

/* Reads what is there; false if the connection is broken. */
static int
read_way(Way *way)
{
	for (;;)
	{
		Chunk	   *chunk = malloc(sizeof(Chunk) + CHUNK);
		long long	read_ns;
		ssize_t		got;

		if (chunk == NULL)
			fail("malloc");
		got = recv(way->from, chunk->data, CHUNK, MSG_DONTWAIT);
		if (got <= 0)
		{
			free(chunk);
			way->ended = got == 0;
			return got == 0 || errno == EAGAIN || errno == EINTR;
		}
		chunk = realloc(chunk, sizeof(Chunk) + got);
		read_ns = now_ns();
		if (read_ns < way->open_ns)
			read_ns = way->open_ns;
		chunk->next = NULL;
		chunk->due_ns = read_ns + half_ns;
		chunk->length = got;
		chunk->written = 0;
		*way->last = chunk;
		way->last = &chunk->next;
	}
}

/* Writes what is due; false if the connection is broken. */
static int
write_way(Way *way, long long time_ns)
{
	while (way->first != NULL && way->first->due_ns <= time_ns)
	{
		Chunk	   *chunk = way->first;
		ssize_t		put = send(way->to, chunk->data + chunk->written,
							   chunk->length - chunk->written,
							   MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0)
			return errno == EAGAIN || errno == EINTR;
		chunk->written += put;
		if (chunk->written < chunk->length)
			return 1;
		way->first = chunk->next;
		if (way->first == NULL)
			way->last = &way->first;
		free(chunk);
	}
	if (way->ended && way->first == NULL && !way->closed)
	{
		shutdown(way->to, SHUT_WR);
		way->closed = 1;
	}
	return 1;
}

/* Serves a connection; false when it is over. */
static int
serve(Connection *connection, long long time_ns)
{
	int			i;

	for (i = 0; i < 2; i++)
	{
		Way		   *way = &connection->ways[i];

		if (!way->ended && !read_way(way))
			return 0;
		if (!write_way(way, time_ns))
			return 0;
	}
	return !(connection->ways[0].closed && connection->ways[1].closed);
}

/* Waits until something can be read or written, or is due. */
static void
wait_for_event(int listener)
{
	static struct pollfd polls[2 + 2 * MAX_CONNECTIONS];
	long long	time_ns = now_ns();
	long long	due_ns = -1;
	struct timespec left;
	int			count = 2;
	int			i;

	polls[0].fd = STDIN_FILENO;
	polls[1].fd = listener;
	polls[0].events = polls[1].events = POLLIN;
	for (i = 0; i < 2 * MAX_CONNECTIONS; i++)
	{
		Connection *connection = &connections[i / 2];
		Way		   *way = &connection->ways[i % 2];
		Way		   *back = &connection->ways[1 - i % 2];

		if (!connection->used)
			continue;
		polls[count].fd = way->from;
		polls[count].events = way->ended ? 0 : POLLIN;
		if (back->first != NULL && back->first->due_ns <= time_ns)
			polls[count].events |= POLLOUT; /* could not be written whole */
		else if (back->first != NULL &&
				 (due_ns < 0 || back->first->due_ns < due_ns))
			due_ns = back->first->due_ns;
		if (polls[count].events == 0)
			polls[count].fd = -1;	/* else a hang-up would be told for ever */
		count++;
	}
	left.tv_sec = due_ns < 0 ? 0 : (due_ns - time_ns) / 1000000000;
	left.tv_nsec = due_ns < 0 ? 0 : (due_ns - time_ns) % 1000000000;
	if (ppoll(polls, count, due_ns < 0 ? NULL : &left, NULL) < 0 &&
		errno != EINTR)
		fail("ppoll");
	if (polls[0].revents != 0)
	{
		char		byte;

		if (read(STDIN_FILENO, &byte, 1) <= 0)
			exit(0);
	}
	if (polls[1].revents != 0)
		accept_one(listener);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t	length = sizeof(address);
	int			listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int			i;

	if (argc != 3)
	{
		fprintf(stderr, "usage: delay MILLISECONDS PORT\n");
		return 2;
	}
	half_ns = (long long) (atof(argv[1]) * 1e6 / 2);
	server.sin_port = htons(atoi(argv[2]));
	server.sin_addr.s_addr = address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *) &address, length) < 0 ||
		listen(listener, 128) < 0 ||
		getsockname(listener, (struct sockaddr *) &address, &length) < 0)
		fail("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);

	for (;;)
	{
		long long	time_ns;

		wait_for_event(listener);
		time_ns = now_ns();
		for (i = 0; i < MAX_CONNECTIONS; i++)
			if (connections[i].used && !serve(&connections[i], time_ns))
				drop(&connections[i]);
	}
}
