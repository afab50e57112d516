// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "rules/problems.h"
#include "util/error.h"

void pb_problem_add(struct pb_problems *problems, const char *path, unsigned long line,
		    const char *text)
{
	struct pb_error *problem;

	if (!problems)
		return;
	if (problems->nr == PB_PROBLEMS_MAX) {
		problems->more++;
		return;
	}
	problem = &problems->list[problems->nr++];
	if (line)
		pb_fail(problem, EINVAL, "%.400s:%lu: %s", path, line, text);
	else
		pb_fail(problem, EINVAL, "%.400s: %s", path, text);
}

void pb_reading_add(struct pb_reading *reading, const char *path, unsigned long line,
		    struct pb_rule *rule)
{
	enum pb_added what = PB_ADDED;
	struct pb_error error;

	if (pb_rules_add(reading->rules, rule, NULL, &what, &error))
		pb_problem_add(reading->problems, path, line, error.text);
	else if (what == PB_CHANGED)
		pb_problem_add(reading->notes, path, line,
			       "this rule stands further up already, with another action, comment "
			       "or expiry: the one here holds");
	pb_rule_clear(rule);
}

bool pb_reading_is_over(const struct pb_reading *reading)
{
	return reading->problems->nr + reading->problems->more >= PB_PROBLEMS_END;
}
