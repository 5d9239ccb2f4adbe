/*
 * account.c
 *	  What a server and a user mapping give, resolved once.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "account.h"
#include "compat.h"
#include "core/sign.h"
#include "report.h"
#include "version.h"

/*
 * Descriptors of a pool beside its connections: libcurl's wake-up pair, our
 * epoll descriptor, and one of the resolver or of a second address being tried.
 */
#define POOL_DESCRIPTORS 4

static dlist_head accounts = DLIST_STATIC_INIT(accounts);

static void
invalidate(Datum arg, CompatCacheId cache, uint32 hash)
{
	dlist_iter	iter;

	(void) arg;

	dlist_foreach(iter, &accounts)
	{
		Account    *account = dlist_container(Account, node, iter.cur);

		/* everything, because too much has changed to be told one by one */
		if (hash == 0)
			account->doubtful = true;
		else if ((cache == FOREIGNSERVEROID && hash == account->server_hash) ||
				 (cache == USERMAPPINGOID && hash == account->mapping_hash))
			account->stale = true;
	}
}

static void
unlink_account(void *arg)
{
	dlist_delete(&((Account *) arg)->node);
}

static void
erase_string(void *string)
{
	sign_erase(string, strlen(string));
}

static void
release_descriptors(int count)
{
	while (count-- > 0)
		ReleaseExternalFD();
}

/*
 * One more must be left: waiting takes it, each time.
 */
static bool
acquire_descriptors(int count)
{
	for (int i = 0; i <= count; i++)
	{
		if (!AcquireExternalFD())
		{
			release_descriptors(i);
			return false;
		}
	}
	ReleaseExternalFD();
	return true;
}

static void
close_pool(void *argument)
{
	Account    *account = argument;

	http_close(account->pool);
	release_descriptors(account->descriptors);
}

/*
 * Ends the accounts that nobody has; of these, only the stale ones if so told.
 */
static void
end_unused(bool only_stale)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &accounts)
	{
		Account    *account = dlist_container(Account, node, iter.cur);

		/* one without a mapping is being built */
		if (account->users == 0 && OidIsValid(account->mapping) &&
			(account->stale || !only_stale))
			MemoryContextDelete(account->context);
	}
}

static void
open_pool(Account *account, const Settings *settings)
{
	HttpSettings pool = {
		.ca_file = settings->ca_file,
		.proxy = settings->proxy,
		.user_agent = "nclue_fdw/" NCLUE_FDW_VERSION,
		.max_body = settings->max_response_size,
		.connections = settings->max_in_flight
	};
	int			descriptors = POOL_DESCRIPTORS + settings->max_in_flight;
	Failure		failure;

	failure_clear(&failure);
	/* connections that nobody uses make room */
	if (!acquire_descriptors(descriptors))
	{
		end_unused(false);
		if (!acquire_descriptors(descriptors))
		{
			failure_say(&failure, FAILURE_DESCRIPTORS,
						"this session has too many open for what it reads");
			report_failure(&failure);
		}
	}

	account->pool = http_open(&pool, &failure);
	if (account->pool == NULL)
	{
		release_descriptors(descriptors);
		report_failure(&failure);
	}
	account->descriptors = descriptors;
	own_set(&account->http, account);
}

/*
 * Names the endpoint and the keys, for shared memory.  It is made with the
 * secret key: who only knows somebody's access key, which is no secret, must
 * not stand in their line, where the slowest rate holds.
 */
static SignDigest
digest_keys(const HttpEndpoint *endpoint, const char *access_key,
			const char *secret_key)
{
	char	   *name = psprintf("nclue_fdw line\n%s%s\n%s", endpoint->origin,
								endpoint->path, access_key);
	SignKey    *key = sign_key_new(secret_key, strlen(secret_key));
	SignDigest	digest;
	bool		made = key != NULL &&
	sign_digest(key, name, strlen(name), &digest);

	sign_key_free(key);
	if (!made)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenSSL could not make a digest.")));
	return digest;
}

/*
 * A mapping's options: a copy of their own, which the caller erases.
 */
static List *
copy_options(HeapTuple mapping)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(USERMAPPINGUSERSERVER, mapping,
										Anum_pg_user_mapping_umoptions,
										&isnull);
	ArrayType  *array;
	List	   *options;

	if (isnull)
		return NIL;
	array = DatumGetArrayTypePCopy(datum);
	options = option_list(array);
	sign_erase(array, VARSIZE(array));
	return options;
}

/*
 * Reads the mapping's keys into the account, leaving no other copy of the
 * secret: GetUserMapping() would leave some that nobody can find to erase.
 */
static void
read_keys(Account *account, HeapTuple mapping)
{
	List	   *volatile options = copy_options(mapping);
	Settings	keys;

	memset(&keys, 0, sizeof(keys));
	PG_TRY();
	{
		option_read(&keys, options);
		if (keys.secret_key != NULL)
		{
			account->secret_key = MemoryContextStrdup(account->context,
													  keys.secret_key);
			own_set(&account->secret, account->secret_key);
		}
		if (keys.access_key != NULL)
			account->access_key = MemoryContextStrdup(account->context,
													  keys.access_key);
	}
	PG_FINALLY();
	{
		option_erase(options);
	}
	PG_END_TRY();

	if (account->access_key == NULL || account->secret_key == NULL)
	{
		const char *missing = account->access_key == NULL ?
		"access_key" : "secret_key";

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("user mapping for server \"%s\" has no %s",
						account->server, missing),
				 errhint("Set it with ALTER USER MAPPING ... SERVER %s OPTIONS (ADD %s '...').",
						 quote_identifier(account->server), missing)));
	}
}

/*
 * Which version of a row a tuple from a catalog's cache is.
 */
static RowVersion
row_version(HeapTuple tuple)
{
	RowVersion	version = {
		.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data),
		.tid = tuple->t_self
	};

	return version;
}

/*
 * Whether a row, NULL if it is gone, is still the version that was read.
 */
static bool
is_version(HeapTuple tuple, RowVersion version)
{
	return HeapTupleIsValid(tuple) &&
		HeapTupleHeaderGetRawXmin(tuple->t_data) == version.xmin &&
		ItemPointerEquals(&tuple->t_self, &version.tid);
}

/*
 * Takes over the mapping, a tuple of its cache.
 */
static Account *
build(Oid serverid, HeapTuple mapping)
{
	Oid			umid = ((Form_pg_user_mapping) GETSTRUCT(mapping))->oid;
	MemoryContext context;
	MemoryContext old;
	Account    *account;
	ForeignServer *server;
	HeapTuple	row;
	Settings	settings;

	/* until it is whole, it goes with whatever the caller works in */
	context = AllocSetContextCreate(CurrentMemoryContext, "nclue_fdw account",
									ALLOCSET_SMALL_SIZES);
	account = MemoryContextAllocZero(context, sizeof(Account));
	account->context = context;
	account->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID,
												 ObjectIdGetDatum(serverid));
	account->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID,
												  ObjectIdGetDatum(umid));

	/*
	 * Listed before the catalogs are read: a change that arrives while they
	 * are makes it stale.  Versions are noted before what they are of is
	 * read, for the same reason.
	 */
	dlist_push_head(&accounts, &account->node);
	own_init(&account->listed, context, unlink_account);
	own_set(&account->listed, account);
	own_init(&account->secret, context, erase_string);
	own_init(&account->http, context, close_pool);

	account->mapping_row = row_version(mapping);
	row = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	if (HeapTupleIsValid(row))
	{
		account->server_row = row_version(row);
		ReleaseSysCache(row);
	}
	server = GetForeignServer(serverid);
	account->server = MemoryContextStrdup(context, server->servername);
	read_keys(account, mapping);
	ReleaseSysCache(mapping);
	option_defaults(&settings);
	option_read(&settings, server->options);

	old = MemoryContextSwitchTo(context);
	open_pool(account, &settings);
	MemoryContextSwitchTo(old);

	/* its strings were for the pool, which has its own copies */
	settings.ca_file = settings.proxy = NULL;
	account->settings = settings;
	account->key = digest_keys(&settings.endpoint, account->access_key,
							   account->secret_key);
	account->tally = shared_tally(umid, account->key);

	/* only now can it be found: if an error had ended this, it would linger */
	account->mapping = umid;
	account->users = 1;
	MemoryContextSetParent(context, TopMemoryContext);
	return account;
}

/*
 * The user's mapping on a server, or PUBLIC's, as a tuple of its cache; NULL
 * where there is none.  Unlike GetUserMapping() it copies no keys.
 */
static HeapTuple
find_mapping(Oid userid, Oid serverid)
{
	HeapTuple	tuple = SearchSysCache2(USERMAPPINGUSERSERVER,
										ObjectIdGetDatum(userid),
										ObjectIdGetDatum(serverid));

	return HeapTupleIsValid(tuple) ? tuple :
		SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
						ObjectIdGetDatum(serverid));
}

/*
 * The account of a mapping that may still be used; NULL if there is none.
 */
static Account *
find_account(HeapTuple mapping)
{
	Oid			umid = ((Form_pg_user_mapping) GETSTRUCT(mapping))->oid;
	dlist_iter	iter;

	dlist_foreach(iter, &accounts)
	{
		Account    *account = dlist_container(Account, node, iter.cur);

		if (!account->stale && account->mapping == umid)
			return account;
	}
	return NULL;
}

/*
 * Decides whether a doubtful account may still be used: if its rows are the
 * ones that were read.
 */
static void
settle_doubt(Account *account, Oid serverid, HeapTuple mapping)
{
	HeapTuple	server;

	/* before looking: what arrives meanwhile makes it doubtful again */
	account->doubtful = false;
	server = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	if (!is_version(server, account->server_row) ||
		!is_version(mapping, account->mapping_row))
		account->stale = true;
	if (HeapTupleIsValid(server))
		ReleaseSysCache(server);
}

Account *
account_get(Oid serverid, Oid userid)
{
	static bool registered = false;
	HeapTuple	mapping;
	Account    *account;

	if (!registered)
	{
		CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate, (Datum) 0);
		CacheRegisterSyscacheCallback(USERMAPPINGOID, invalidate, (Datum) 0);
		registered = true;
	}

	/* where there is no mapping, GetUserMapping() says so */
	while (!HeapTupleIsValid(mapping = find_mapping(userid, serverid)))
		(void) GetUserMapping(userid, serverid);
	account = find_account(mapping);
	if (account != NULL && account->doubtful)
	{
		settle_doubt(account, serverid, mapping);
		account = find_account(mapping);
	}
	end_unused(true);
	if (account == NULL)
		return build(serverid, mapping);
	ReleaseSysCache(mapping);
	return account_pin(account);
}

Account *
account_pin(Account *account)
{
	account->users++;
	return account;
}

static void
release(void *account)
{
	account_release(account);
}

void
own_init_account(Own *own, MemoryContext context)
{
	own_init(own, context, release);
}

void
account_settings(const Account *account, const ForeignTable *table,
				 Settings *settings)
{
	*settings = account->settings;
	option_read(settings, table->options);
}

void
account_count(Account *account, SharedCount what, int64 more)
{
	pg_atomic_fetch_add_u64(&account->tally->counts[what], more);
}

static int64
total_in(const SharedTally *tally, const Resource *resource)
{
	/* reading it takes no lock, and changes nothing */
	SharedTally *shared = unconstify(SharedTally *, tally);

	return (int64) pg_atomic_read_u64(&shared->totals[resource - resources]) - 1;
}

int64
account_last_total(const Account *account, const Resource *resource)
{
	return total_in(account->tally, resource);
}

void
account_note_total(Account *account, const Resource *resource, int64 total)
{
	/* nobody's tally must not tell one user another's */
	if (OidIsValid(account->tally->database))
		pg_atomic_write_u64(&account->tally->totals[resource - resources],
							total + 1);
}

int64
account_peek_total(Oid serverid, Oid userid, const Resource *resource)
{
	HeapTuple	mapping = find_mapping(userid, serverid);
	const Account *account;
	const SharedTally *tally;

	if (!HeapTupleIsValid(mapping))
		return -1;
	account = find_account(mapping);
	tally = account != NULL ? account->tally :
		shared_find_tally(((Form_pg_user_mapping) GETSTRUCT(mapping))->oid);
	ReleaseSysCache(mapping);
	return tally != NULL ? total_in(tally, resource) : -1;
}

bool
account_mapping(Oid mapping, Oid *user, Oid *server)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID,
										ObjectIdGetDatum(mapping));

	if (!HeapTupleIsValid(tuple))
		return false;
	*user = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser;
	*server = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umserver;
	ReleaseSysCache(tuple);
	return true;
}

void
account_release(Account *account)
{
	Assert(account->users > 0);
	account->users--;
	if (account->stale && account->users == 0)
		MemoryContextDelete(account->context);
}
