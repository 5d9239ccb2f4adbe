/*
 * version.h
 *	  The extension's own version.
 */
#ifndef NCLUE_VERSION_H
#define NCLUE_VERSION_H

#define NCLUE_FDW_VERSION "1.0.0"

#endif
