# SPDX-License-Identifier: MIT
ftk_good(good_no_params.c)
ftk_good(good_40_params.c)
