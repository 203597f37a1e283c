/* SPDX-License-Identifier: MIT
 * config/opcheck.h - the fields of one operation, whatever its place in the list.
 */
#ifndef FTK__OPCHECK_H
#define FTK__OPCHECK_H
#include "config/oplist.h"

const char *ftk__opcode_name(uint32_t code); /* "train"; NULL: no such code */
/* Nearest whole number of steps; `epochs` has been checked. */
uint64_t ftk__op_steps(double epochs, uint32_t steps_per_epoch);
/* Size, code, flags, label, numbers in range, what the code does not use 0.  The message names the
 * field; the caller adds which operation it is. */
ftk_status ftk__op_check(const ftk_op *op, const struct ftk__opstate *s, struct ftk_error *reterr);
/* Every field. */
bool ftk__op_equal(const ftk_op *a, const ftk_op *b);
#endif
