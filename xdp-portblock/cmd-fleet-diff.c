// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet diff: what the fleet wants against what this host has. Exit 0 same, 1 differs, 2 error. */
#include <stdio.h>
#include <string.h>
#include "fleet-push.h"
#include "fleet-rules.h"
#include "fleet/group.h"
#include "fleet/survey.h"

static bool find(const struct fleet_ruleset *rulesets, size_t nr, const char *ruleset,
		 char local[PB_NAME_LEN])
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(rulesets[i].remote, ruleset)) {
			strcpy(local, rulesets[i].local);
			return true;
		}
	return false;
}

static bool is_member(const struct fleet_conf *conf, const char *group)
{
	for (size_t i = 0; i < conf->groups.nr; i++)
		if (!strcmp(conf->groups.texts[i], group))
			return true;
	return false;
}

/* What the ruleset is called on this host: as fleet.conf says, or one of its groups; else the same. */
static int local_name(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		      char local[PB_NAME_LEN], struct pb_error *error)
{
	struct fleet_groups groups = {};
	bool found = find(conf->rulesets, conf->nr_rulesets, ruleset, local);
	int err = !found && conf->groups.nr ? fleet_groups_list(etcd, conf, &groups, error) : 0;

	if (err)
		return err;
	for (size_t i = 0; !found && i < groups.nr; i++)
		found = is_member(conf, groups.list[i]->group) &&
			find(groups.list[i]->rulesets, groups.list[i]->nr_rulesets, ruleset, local);
	fleet_groups_free(&groups);
	if (!found)
		strcpy(local, ruleset);
	return 0;
}

static int compare(const char *local, const struct fleet_revision *revision)
{
	char name[PB_NAME_LEN + 48];
	struct pb_rules *rules;
	int ret;

	snprintf(name, sizeof(name), "%s revision %lld (%.12s)", revision->ruleset,
		 revision->revision, revision->id);
	if (rules_of_text(revision->file, name, &rules) != DONE)
		return WRONG_USAGE;
	ret = diff_rules(local, name, rules);
	pb_rules_free(rules);
	return ret;
}

static int read_wanted(const struct fleet_conf *conf, const char *ruleset, char local[PB_NAME_LEN],
		       struct fleet_revision **revision)
{
	struct fleet_etcd *etcd;
	struct pb_error error;
	int err = fleet_etcd_open(conf, &etcd, &error);

	if (!err) {
		err = local_name(etcd, conf, ruleset, local, &error);
		if (!err)
			err = fleet_wanted_read(etcd, conf, ruleset, revision, &error);
		fleet_etcd_close(etcd);
	}
	return err ? fail(&error) : DONE;
}

int fleet_diff(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_revision *revision;
	char local[PB_NAME_LEN];
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "compare which RULESET?");
	ret = check_ruleset_word(arguments, arguments->words[0]);
	if (ret == DONE && read_wanted(conf, arguments->words[0], local, &revision) != DONE)
		ret = WRONG_USAGE; /* 1 means that they differ */
	if (ret != DONE)
		return ret;
	ret = compare(local, revision);
	fleet_revision_free(revision);
	return ret;
}
