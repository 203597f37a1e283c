/* SPDX-License-Identifier: MIT
 * plugin/channels.h - the names of FTK_CH_*, for messages.
 */
#ifndef FTK__CHANNELS_H
#define FTK__CHANNELS_H
#include <freetickets/freetickets.h>

enum { FTK__CHANNEL_NAMES = 64 };

/* "WEIGHT, GRAD", "none"; bits without a name as a number.  Gives `ret` back. */
const char *ftk__channel_names(uint32_t channels, char ret[FTK__CHANNEL_NAMES]);
#endif
