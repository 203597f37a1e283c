# SPDX-License-Identifier: MIT
# prune, grow, init and allot.
ftk_good(good_dozen.c)
ftk_good(good_state.c)
ftk_good(good_odd_scores.c)
ftk_good(good_counts.c)
ftk_good(good_shares.c)
ftk_good(good_cxx.cc)
