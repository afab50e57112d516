/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOL_FLEET_STATUS_H
#define TOOL_FLEET_STATUS_H

#include "fleet.h"
#include "fleet/survey.h"

/* fleet-metrics.c: for Prometheus, to a file, or stdout where `path` is NULL. */
int print_fleet_metrics(const struct fleet_survey *survey, const char *path);

#endif
