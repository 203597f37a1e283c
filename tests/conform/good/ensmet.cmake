# SPDX-License-Identifier: MIT
# Odd but right strategies and metrics.
ftk_good(good_strategy_history.c)
ftk_good(good_strategy_same.c)
ftk_good(good_strategy_branches.c)
ftk_good(good_metric_labels.c)
ftk_good(good_metric_samples.c)
