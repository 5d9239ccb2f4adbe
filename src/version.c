/*
 * version.c
 *	  The versions that a report of a problem should begin with.
 */
#include "postgres.h"

#include "core/doc.h"
#include "core/http.h"
#include "core/sign.h"
#include "utils/builtins.h"
#include "version.h"

PG_FUNCTION_INFO_V1(nclue_fdw_version);

char *
version_text(void)
{
	return psprintf("nclue_fdw %s, libcurl %s, OpenSSL %s, jansson %s",
					NCLUE_FDW_VERSION, http_version(), sign_version(),
					doc_version());
}

Datum
nclue_fdw_version(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_TEXT_P(cstring_to_text(version_text()));
}
