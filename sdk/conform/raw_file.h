/* SPDX-License-Identifier: MIT
 * conform/raw_file.h - a plugin file opened without the loader's judgement, for the rules that judge
 * it piece by piece.
 */
#ifndef FTK__RAW_FILE_H
#define FTK__RAW_FILE_H
#include "conform/kit.h"

enum { FTK__RAW_ALGOS = 256 };
struct ftk__raw_file {
    const ftk_stamp *(*stamp)(void);
    ftk_status (*offer)(const ftk_registry *);
    const ftk_algo *algo[FTK__RAW_ALGOS];
    uint32_t n;         /* that offer() added                           */
    uint32_t refuse_at; /* add() refuses this one, from 1; 0: none      */
    ftk_status given;   /* what offer() returned                        */
};
/* dlopen and both symbols; a failure fails the rule. */
void ftk__raw_open(struct ftk__case *c, struct ftk__raw_file *ret);
/* Calls offer() with a recorder. */
void ftk__raw_register(struct ftk__raw_file *f);
/* Whether `p` points into the file's mapping. */
bool ftk__raw_holds(const struct ftk__raw_file *f, const void *p);
/* Names of dynamic symbols: defined ones (`defined`) or those it needs, one a call; NULL past the last. */
struct ftk__raw_symbols {
    char *data; /* the file                                     */
    uint64_t bytes, at;
};
void ftk__raw_symbols_open(struct ftk__case *c, struct ftk__raw_symbols *ret);
const char *ftk__raw_symbol(struct ftk__raw_symbols *s, bool defined);
#endif
