/*
 * doc_private.h
 *	  What the files of doc share among themselves.
 *
 * doc.c reads a body, doc_text.c writes a value.  Only these include this header.
 */
#ifndef NCLUE_DOC_PRIVATE_H
#define NCLUE_DOC_PRIVATE_H

#include <jansson.h>

#include "doc.h"

/*
 * A value of jansson's as one of ours; NULL: absent.  Never raises.
 */
extern DocValue doc_value(const json_t *json);

#endif
