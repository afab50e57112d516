// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet diff: what the fleet wants against what this host has. Exit 0 same, 1 differs, 2 error. */
#include <stdio.h>
#include <string.h>
#include "fleet-push.h"
#include "fleet-rules.h"
#include "fleet/survey.h"

/* What the ruleset is called on this host. */
static const char *local_name(const struct fleet_conf *conf, const char *ruleset)
{
	for (size_t i = 0; i < conf->nr_rulesets; i++)
		if (!strcmp(conf->rulesets[i].remote, ruleset))
			return conf->rulesets[i].local;
	return ruleset;
}

static int compare(const struct fleet_conf *conf, const struct fleet_revision *revision)
{
	char name[PB_NAME_LEN + 48];
	struct pb_rules *rules;
	int ret;

	snprintf(name, sizeof(name), "%s revision %lld (%.12s)", revision->ruleset,
		 revision->revision, revision->id);
	if (rules_of_text(revision->file, name, &rules) != DONE)
		return WRONG_USAGE;
	ret = diff_rules(local_name(conf, revision->ruleset), name, rules);
	pb_rules_free(rules);
	return ret;
}

static int read_wanted(const struct fleet_conf *conf, const char *ruleset,
		       struct fleet_revision **revision)
{
	struct fleet_etcd *etcd;
	struct pb_error error;
	int err = fleet_etcd_open(conf, &etcd, &error);

	if (!err) {
		err = fleet_wanted_read(etcd, conf, ruleset, revision, &error);
		fleet_etcd_close(etcd);
	}
	return err ? fail(&error) : DONE;
}

int fleet_diff(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_revision *revision;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "compare which RULESET?");
	ret = check_ruleset_word(arguments, arguments->words[0]);
	if (ret == DONE && read_wanted(conf, arguments->words[0], &revision) != DONE)
		ret = WRONG_USAGE; /* 1 means that they differ */
	if (ret != DONE)
		return ret;
	ret = compare(conf, revision);
	fleet_revision_free(revision);
	return ret;
}
