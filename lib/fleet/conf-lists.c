// SPDX-License-Identifier: GPL-2.0-only
/* Values of fleet.conf that are a list, with commas between. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/conf-parts.h"
#include "fleet/error.h"

/* ---- Words ---------------------------------------------------------------------------------- */

bool fleet_conf_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

char *fleet_conf_trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return text;
}

typedef int word_function(char *word, void *to, struct pb_error *error);

static int each_word(const char *value, word_function *function, void *to, struct pb_error *error)
{
	char *copy = strdup(value), *rest = copy, *word;
	int err = copy ? 0 : fleet_fail_memory(error);

	while (!err && (word = strsep(&rest, ","))) {
		word = fleet_conf_trim(word);
		err = *word ? function(word, to, error) :
			      fleet_fail(error, EINVAL, "nothing stands between two commas of '%s'",
					 value);
	}
	free(copy);
	return err;
}

static int add_text(char *word, void *to, struct pb_error *error)
{
	struct fleet_list *list = to;
	char **grown, *copy;

	if (list->nr >= FLEET_LIST_MAX)
		return fleet_fail(error, EINVAL, "'%s' is one too many: at most %d", word,
				  FLEET_LIST_MAX);
	grown = realloc(list->texts, (list->nr + 1) * sizeof(*grown));
	if (grown)
		list->texts = grown;
	copy = grown ? strdup(word) : NULL;
	if (!copy)
		return fleet_fail_memory(error);
	list->texts[list->nr++] = copy;
	return 0;
}

static int add_endpoint(char *word, void *to, struct pb_error *error)
{
	size_t len = strlen(word), scheme = !strncmp(word, "http://", 7)  ? 7 :
					    !strncmp(word, "https://", 8) ? 8 :
									    0;

	while (len > scheme + 1 && word[len - 1] == '/')
		word[--len] = '\0';
	if (!scheme || len == scheme || len > 300 || !fleet_conf_printable(word) ||
	    strpbrk(word + scheme, "/@?#\"\\"))
		return fleet_fail(error, EINVAL,
				  "'%s' is no endpoint of etcd: those are like "
				  "https://etcd1.example.org:2379",
				  word);
	return add_text(word, to, error);
}

static int add_path(char *word, void *to, struct pb_error *error)
{
	if (*word != '/')
		return fleet_fail(error, EINVAL, "'%s' is no absolute path: it begins with a slash",
				  word);
	return add_text(word, to, error);
}

static int add_group(char *word, void *to, struct pb_error *error)
{
	int err = pb_ruleset_name_check(word, error);

	return err ?: add_text(word, to, error);
}

int fleet_conf_take_endpoints(const char *value, void *to, struct pb_error *error)
{
	return each_word(value, add_endpoint, to, error);
}

int fleet_conf_take_groups(const char *value, void *to, struct pb_error *error)
{
	return each_word(value, add_group, to, error);
}

int fleet_conf_take_trust(const char *value, void *to, struct pb_error *error)
{
	return each_word(value, add_path, to, error);
}

/* ---- Rulesets ------------------------------------------------------------------------------- */

struct rulesets {
	struct fleet_ruleset **list;
	size_t *nr;
};

static int check_ruleset(const struct rulesets *to, const char *local, const char *remote,
			 struct pb_error *error)
{
	int err = pb_ruleset_name_check(local, error) ?: pb_ruleset_name_check(remote, error);

	for (size_t i = 0; !err && i < *to->nr; i++)
		if (!strcmp((*to->list)[i].local, local) || !strcmp((*to->list)[i].remote, remote))
			err = fleet_fail(error, EINVAL, "'%s' is named twice",
					 strcmp((*to->list)[i].local, local) ? remote : local);
	if (!err && *to->nr >= FLEET_LIST_MAX)
		err = fleet_fail(error, EINVAL, "'%s' is one too many: at most %d", local,
				 FLEET_LIST_MAX);
	return err;
}

/* NAME, or LOCAL=REMOTE */
static int add_ruleset(char *word, void *context, struct pb_error *error)
{
	const struct rulesets *to = context;
	char *equals = strchr(word, '='), *local = word, *remote = word;
	struct fleet_ruleset *grown;
	int err;

	if (equals) {
		*equals = '\0';
		local = fleet_conf_trim(word);
		remote = fleet_conf_trim(equals + 1);
	}
	err = check_ruleset(to, local, remote, error);
	if (err)
		return err;
	grown = realloc(*to->list, (*to->nr + 1) * sizeof(*grown));
	if (!grown)
		return fleet_fail_memory(error);
	*to->list = grown;
	grown += (*to->nr)++;
	snprintf(grown->local, sizeof(grown->local), "%s", local);
	snprintf(grown->remote, sizeof(grown->remote), "%s", remote);
	return 0;
}

int fleet_rulesets_parse(const char *text, struct fleet_ruleset **list, size_t *nr,
			 struct pb_error *error)
{
	struct fleet_ruleset *made = NULL;
	size_t found = 0;
	struct rulesets rulesets = { &made, &found };
	int err = each_word(text, add_ruleset, &rulesets, error);

	if (err) {
		free(made);
		return err;
	}
	*list = made;
	*nr = found;
	return 0;
}

int fleet_conf_take_rulesets(const char *value, void *to, struct pb_error *error)
{
	struct fleet_conf *conf = to;
	struct rulesets rulesets = { &conf->rulesets, &conf->nr_rulesets };

	return each_word(value, add_ruleset, &rulesets, error);
}

/* ---- Sets ----------------------------------------------------------------------------------- */

struct sets {
	struct fleet_shared **list;
	size_t *nr;
};

/* One of the fleet is one of the host, and the other way round. */
static int check_set(const struct sets *to, const struct fleet_shared *set, struct pb_error *error)
{
	for (size_t i = 0; i < *to->nr; i++) {
		const struct fleet_shared *other = &(*to->list)[i];

		if (!strcmp(other->remote, set->remote))
			return fleet_fail(error, EINVAL, "'%s' is named twice", set->remote);
		if (!strcmp(other->local, set->local) && !strcmp(other->ruleset, set->ruleset))
			return fleet_fail(error, EINVAL, "'%s/%s' is named twice", set->ruleset,
					  set->local);
	}
	if (*to->nr >= FLEET_LIST_MAX)
		return fleet_fail(error, EINVAL, "'%s' is one too many: at most %d", set->remote,
				  FLEET_LIST_MAX);
	return 0;
}

/* SET or RULESET/SET of the host. */
static int read_local(char *word, struct fleet_shared *set, struct pb_error *error)
{
	char *slash = strchr(word, '/'), *ruleset = slash ? word : "default";
	char *local = slash ? slash + 1 : word;
	int err;

	if (slash)
		*slash = '\0';
	err = pb_ruleset_name_check(ruleset, error) ?: pb_set_name_check(local, error);
	if (err)
		return err;
	snprintf(set->ruleset, sizeof(set->ruleset), "%s", ruleset);
	snprintf(set->local, sizeof(set->local), "%s", local);
	return 0;
}

/* [RULESET/]SET, or [RULESET/]SET=REMOTE */
static int add_set(char *word, void *context, struct pb_error *error)
{
	const struct sets *to = context;
	char *equals = strchr(word, '='), *remote = NULL;
	struct fleet_shared set = {}, *grown;
	int err;

	if (equals) {
		*equals = '\0';
		remote = fleet_conf_trim(equals + 1);
	}
	err = read_local(fleet_conf_trim(word), &set, error);
	if (!err && remote)
		err = pb_set_name_check(remote, error);
	if (err)
		return err;
	snprintf(set.remote, sizeof(set.remote), "%s", remote ?: set.local);
	err = check_set(to, &set, error);
	if (err)
		return err;
	grown = realloc(*to->list, (*to->nr + 1) * sizeof(*grown));
	if (!grown)
		return fleet_fail_memory(error);
	*to->list = grown;
	grown[(*to->nr)++] = set;
	return 0;
}

int fleet_conf_take_sets(const char *value, void *to, struct pb_error *error)
{
	struct fleet_conf *conf = to;
	struct sets sets = { &conf->sets, &conf->nr_sets };

	return each_word(value, add_set, &sets, error);
}
