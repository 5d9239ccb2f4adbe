/*
 * account.h
 *	  What a server and a user mapping give, resolved once: settings, keys and
 *	  the connections made with them.
 */
#ifndef NCLUE_ACCOUNT_H
#define NCLUE_ACCOUNT_H

#include "lib/ilist.h"
#include "option.h"
#include "own.h"
#include "shared.h"
#include "storage/itemptr.h"

/* Which version of a catalog's row was read. */
typedef struct RowVersion
{
	TransactionId xmin;
	ItemPointerData tid;
} RowVersion;

/*
 * One per user mapping, kept over statements so that connections are.  When
 * the server or the mapping changes it is stale: who has it keeps it, the next
 * gets a new one.
 */
typedef struct Account
{
	dlist_node	node;			/* in account.c's list */
	MemoryContext context;		/* everything here */
	Oid			mapping;		/* InvalidOid: it is not whole yet */
	char	   *server;			/* its name */
	uint32		server_hash;	/* as syscache invalidations name them */
	uint32		mapping_hash;
	bool		stale;			/* one of them has been changed */
	bool		doubtful;		/* or so it may be */
	RowVersion	server_row;		/* by which that is told */
	RowVersion	mapping_row;
	int			users;
	Settings	settings;		/* the server's; without strings */
	char	   *access_key;
	char	   *secret_key;
	Own			listed;			/* itself, in account.c's list */
	Own			secret;			/* erases secret_key */
	Http	   *pool;
	int			descriptors;	/* that it may use */
	Own			http;			/* closes the pool */
	SignDigest	key;			/* names endpoint and keys */
	SharedTally *tally;
} Account;

/*
 * The account of a server for a user, pinned until account_release().  Raises:
 * no mapping, a key missing, no memory or descriptors.
 */
extern Account *account_get(Oid server, Oid user);

/*
 * Pins an account that is pinned already, once more.  Returns the same.  Never
 * raises.
 */
extern Account *account_pin(Account *account);

/*
 * Prepares an Own for a pin on an account.  Never raises.
 */
extern void own_init_account(Own *own, MemoryContext context);

/*
 * What the server's options and a table's give together.  Raises.
 */
extern void account_settings(const Account *account, const ForeignTable *table,
							 Settings *settings);

/*
 * Counts something for the mapping.  Never raises.
 */
extern void account_count(Account *account, SharedCount what, int64 more);

/*
 * The length of a list as it was last known; -1: it was not.  Never raise.
 */
extern int64 account_last_total(const Account *account,
								const Resource *resource);
extern void account_note_total(Account *account, const Resource *resource,
							   int64 total);

/*
 * The same for a user on a server, whether or not this session has used their
 * mapping; -1 also where they have none.  Raises only where there is no memory.
 */
extern int64 account_peek_total(Oid server, Oid user,
								const Resource *resource);

/*
 * Whose a mapping is (InvalidOid: PUBLIC's), and of which server.  False where
 * it is gone.  Never raises.
 */
extern bool account_mapping(Oid mapping, Oid *user, Oid *server);

/*
 * Lets go of an account; the last one to let go of a stale one ends it, with
 * its connections.  Never raises.
 */
extern void account_release(Account *account);

#endif
