# SPDX-License-Identifier: MIT
# Backends that lack what they may lack; zoo_ref is of bad/backend.cmake, which is read before.
ftk_good(good_backend_small.c LIBRARIES zoo_ref)
