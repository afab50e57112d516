// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet group list|set|del: which rulesets the hosts of a group follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet-push.h"
#include "fleet/group.h"
#include "json.h"

#define NAME_WIDTH 24
#define RULESETS_WIDTH 32

/* GROUP, and `wanted` words behind it, the first of which is `what`. */
static int group_words(const struct arguments *arguments, size_t wanted, const char *what)
{
	struct pb_error error;

	if (!arguments->nr_words)
		return wrong(arguments, "which GROUP?");
	if (arguments->nr_words < 1 + wanted)
		return wrong(arguments, "%s", what);
	if (arguments->nr_words > 1 + wanted)
		return wrong(arguments, "'%s' is one word too many", arguments->words[1 + wanted]);
	/* It is named as a ruleset is. */
	if (pb_ruleset_name_check(arguments->words[0], &error))
		return wrong(arguments, "'%s' is no name of a group: those are as of rulesets",
			     arguments->words[0]);
	return DONE;
}

/* ---- set, del -------------------------------------------------------------------------------- */

static int put(const struct arguments *arguments, const struct fleet_conf *conf,
	       struct fleet_group *group)
{
	struct fleet_etcd *etcd = NULL;
	struct pb_error error;
	int err = fleet_etcd_open(conf, &etcd, &error);

	if (!err)
		err = fleet_group_put(etcd, conf, group, arguments->values[OPT_SIGN], &error);
	fleet_etcd_close(etcd);
	if (err)
		return fail(&error);
	print("The hosts of group %s follow %zu ruleset%s by it now.\n", group->group,
	      group->nr_rulesets, group->nr_rulesets == 1 ? "" : "s");
	return DONE;
}

int fleet_group_set(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_group *group;
	struct pb_error error;
	int ret = group_words(arguments, 1,
			      "what do its hosts follow? Say default=web, or "
			      "default=web,inner=db");

	if (ret != DONE)
		return ret;
	group = calloc(1, sizeof(*group));
	if (!group)
		return out_of_memory();
	snprintf(group->group, sizeof(group->group), "%s", arguments->words[0]);
	fleet_time_now(group->time);
	if (fleet_rulesets_parse(arguments->words[1], &group->rulesets, &group->nr_rulesets,
				 &error))
		ret = wrong(arguments, "%s", error.text);
	if (ret == DONE)
		ret = author_of(conf, &group->author);
	if (ret == DONE)
		ret = put(arguments, conf, group);
	fleet_group_free(group);
	return ret;
}

int fleet_group_del(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_etcd *etcd = NULL;
	struct pb_error error;
	int ret = group_words(arguments, 0, NULL), err;

	if (ret != DONE)
		return ret;
	err = fleet_etcd_open(conf, &etcd, &error);
	if (!err)
		err = fleet_group_delete(etcd, conf, arguments->words[0], &error);
	fleet_etcd_close(etcd);
	if (err)
		return fail(&error);
	print("The fleet has no group %s now: its hosts follow nothing by it, and keep the rules "
	      "that they have.\n",
	      arguments->words[0]);
	return DONE;
}

/* ---- list ------------------------------------------------------------------------------------ */

static char *rulesets_text(const struct fleet_group *group)
{
	char *text = calloc(group->nr_rulesets + 1, 2 * PB_NAME_LEN + 1), *at = text;

	for (size_t i = 0; text && i < group->nr_rulesets; i++)
		at += sprintf(at, "%s%s=%s", i ? "," : "", group->rulesets[i].local,
			      group->rulesets[i].remote);
	return text;
}

static int print_group(const struct fleet_group *group)
{
	char *rulesets = rulesets_text(group);

	if (!rulesets)
		return out_of_memory();
	print("%-*s  %-*s  %.19sZ  %s%s\n", NAME_WIDTH, group->group, RULESETS_WIDTH,
	      *rulesets ? rulesets : "-", group->time, group->author,
	      group->signature ? ", signed" : "");
	free(rulesets);
	return DONE;
}

static int print_groups(const struct fleet_groups *groups)
{
	int ret = DONE;

	if (groups->nr)
		print("%-*s  %-*s  %-*s  %s\n", NAME_WIDTH, "GROUP", RULESETS_WIDTH, "RULESETS",
		      FLEET_SECOND_LEN - 1, "TIME", "AUTHOR");
	else
		print("No groups.\n");
	for (size_t i = 0; ret == DONE && i < groups->nr; i++)
		ret = print_group(groups->list[i]);
	return ret == DONE ? finish_output() : ret;
}

static struct json_object *group_json(const struct fleet_group *group)
{
	struct json_object *json = json_new_object(), *rulesets = json_new_array();

	for (size_t i = 0; i < group->nr_rulesets; i++) {
		struct json_object *pair = json_new_object();

		json_add(pair, "name", json_string(group->rulesets[i].remote));
		json_add(pair, "local", json_string(group->rulesets[i].local));
		json_append(rulesets, pair);
	}
	json_add(json, "group", json_string(group->group));
	json_add(json, "rulesets", rulesets);
	json_add(json, "time", json_string(group->time));
	json_add(json, "author", json_string(group->author));
	json_add(json, "id", json_string(group->id));
	json_add(json, "signed", json_boolean(group->signature));
	return json;
}

static int print_groups_json(const struct fleet_groups *groups)
{
	struct json_object *json = json_new_object(), *list = json_new_array(),
			   *problems = json_new_array();

	for (size_t i = 0; i < groups->nr; i++)
		json_append(list, group_json(groups->list[i]));
	for (size_t i = 0; i < groups->nr_problems; i++)
		json_append(problems, json_string(groups->problems[i].text));
	json_add(json, "groups", list);
	json_add(json, "problems", problems);
	return json_print(json);
}

int fleet_group_list(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_etcd *etcd = NULL;
	struct fleet_groups groups;
	struct pb_error error;
	int ret, err;

	if (arguments->nr_words)
		return wrong(arguments, "'%s' is not wanted here", arguments->words[0]);
	err = fleet_etcd_open(conf, &etcd, &error);
	if (!err)
		err = fleet_groups_list(etcd, conf, &groups, &error);
	fleet_etcd_close(etcd);
	if (err)
		return fail(&error);
	for (size_t i = 0; i < groups.nr_problems; i++)
		note("%s", groups.problems[i].text);
	ret = given(arguments, OPT_JSON) ? print_groups_json(&groups) : print_groups(&groups);
	fleet_groups_free(&groups);
	return ret;
}
