// SPDX-License-Identifier: GPL-2.0-only
/* Lines of `key = value`; a table says what each key takes. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet/conf-parts.h"
#include "fleet/error.h"
#include "fleet/host-name.h"

#define LINE_MAX_BYTES 4096
#define CONFIRM_LEAST 5000000000ULL
#define CONFIRM_MOST 3600000000000ULL
#define CONFIRM_DEFAULT 30000000000ULL

/* Takes the value of a line into the member at `to`; an error tells nothing of the place. */
typedef int take_function(const char *value, void *to, struct pb_error *error);

/* ---- Values --------------------------------------------------------------------------------- */

static int take_text(const char *value, void *to, struct pb_error *error)
{
	char **text = to, *copy = strdup(value);

	if (!copy)
		return fleet_fail_memory(error);
	*text = copy;
	return 0;
}

static int take_path(const char *value, void *to, struct pb_error *error)
{
	if (*value != '/')
		return fleet_fail(error, EINVAL, "'%s' is no absolute path: it begins with a slash",
				  value);
	return take_text(value, to, error);
}

static int take_host(const char *value, void *to, struct pb_error *error)
{
	return fleet_host_check(value, error) ?: take_text(value, to, error);
}

static int take_prefix(const char *value, void *to, struct pb_error *error)
{
	size_t len = strlen(value);

	if (!fleet_conf_printable(value) || len < 2 || len > 200 || *value != '/' ||
	    value[len - 1] != '/')
		return fleet_fail(error, EINVAL,
				  "'%s' is no prefix of keys: it begins and ends with a slash, as "
				  "in " FLEET_PREFIX_DEFAULT,
				  value);
	return take_text(value, to, error);
}

static int take_confirm(const char *value, void *to, struct pb_error *error)
{
	__u64 ns;
	int err = pb_duration_parse(value, &ns, error);

	if (!err && (ns < CONFIRM_LEAST || ns > CONFIRM_MOST))
		err = fleet_fail(error, EINVAL, "'%s' is not from 5s to 1h", value);
	if (!err)
		*(__u64 *)to = ns;
	return err;
}

static int take_drift(const char *value, void *to, struct pb_error *error)
{
	bool heal = !strcmp(value, "heal");

	if (!heal && strcmp(value, "keep"))
		return fleet_fail(error, EINVAL, "'%s' is not known: it is keep or heal", value);
	*(bool *)to = heal;
	return 0;
}

static int take_command(const char *value, void *to, struct pb_error *error)
{
	struct fleet_list *list = to;
	char **words;
	size_t nr;
	int err = pb_words_split(value, &words, &nr, error);

	if (err)
		return err;
	if (!nr || words[0][0] != '/') {
		err = fleet_fail(error, EINVAL,
				 "'%s' is no absolute path of a program: no shell looks for it",
				 nr ? words[0] : value);
		pb_words_free(words, nr);
		return err;
	}
	*list = (struct fleet_list){ words, nr };
	return 0;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	take_function *take;
	size_t at;
} keys[] = {
	{ "endpoints", fleet_conf_take_endpoints, offsetof(struct fleet_conf, endpoints) },
	{ "cacert", take_path, offsetof(struct fleet_conf, cacert) },
	{ "cert", take_path, offsetof(struct fleet_conf, cert) },
	{ "key", take_path, offsetof(struct fleet_conf, key) },
	{ "user", take_text, offsetof(struct fleet_conf, user) },
	{ "password-file", take_path, offsetof(struct fleet_conf, password_file) },
	{ "host", take_host, offsetof(struct fleet_conf, host) },
	{ "groups", fleet_conf_take_groups, offsetof(struct fleet_conf, groups) },
	{ "rulesets", fleet_conf_take_rulesets, 0 },
	{ "sets", fleet_conf_take_sets, 0 },
	{ "confirm", take_confirm, offsetof(struct fleet_conf, confirm) },
	{ "check-command", take_command, offsetof(struct fleet_conf, command) },
	{ "drift", take_drift, offsetof(struct fleet_conf, heal) },
	{ "trust", fleet_conf_take_trust, offsetof(struct fleet_conf, trust) },
	{ "prefix", take_prefix, offsetof(struct fleet_conf, prefix) },
	{ "state", take_path, offsetof(struct fleet_conf, state) },
};
#define NR_KEYS (sizeof(keys) / sizeof(*keys))

/* Where reading is. */
struct reading {
	const char *path;
	unsigned long line;
	bool given[NR_KEYS];
	struct fleet_conf *conf;
};

static int at_line(const struct reading *reading, int err, struct pb_error *error)
{
	struct pb_error what = *error;

	if (err == -ENOMEM)
		return err;
	return fleet_fail(error, -err, "%s:%lu: %s", reading->path, reading->line, what.text);
}

static int take_key(struct reading *reading, const char *name, const char *value,
		    struct pb_error *error)
{
	struct pb_error what;
	size_t i = 0;
	int err;

	while (i < NR_KEYS && strcmp(keys[i].name, name))
		i++;
	if (i == NR_KEYS)
		return fleet_fail(error, EINVAL, "there is no key '%s' here", name);
	if (reading->given[i])
		return fleet_fail(error, EINVAL, "'%s' is given twice", name);
	if (!*value)
		return fleet_fail(error, EINVAL, "'%s' has no value", name);
	err = keys[i].take(value, (char *)reading->conf + keys[i].at, &what);
	if (err)
		return fleet_fail(error, -err, "%s: %s", name, what.text);
	reading->given[i] = true;
	return 0;
}

/* A # begins a comment where a line begins: passwords, paths and commands may have one. */
static int take_line(struct reading *reading, char *line, struct pb_error *error)
{
	char *text = fleet_conf_trim(line), *equals = strchr(text, '=');

	if (!*text || *text == '#')
		return 0;
	if (!equals)
		return fleet_fail(error, EINVAL, "'%s' is no line of `key = value`", text);
	*equals = '\0';
	return take_key(reading, fleet_conf_trim(text), fleet_conf_trim(equals + 1), error);
}

static int read_lines(FILE *file, struct reading *reading, struct pb_error *error)
{
	char line[LINE_MAX_BYTES];
	struct pb_error what;
	int err = 0;

	while (!err && fgets(line, sizeof(line), file)) {
		reading->line++;
		if (strlen(line) == sizeof(line) - 1)
			err = fleet_fail(&what, EINVAL, "'%.20s...' is too long a line", line);
		else
			err = take_line(reading, line, &what);
	}
	if (err) {
		*error = what;
		return at_line(reading, err, error);
	}
	if (ferror(file))
		return fleet_fail(error, EIO, "cannot read %s", reading->path);
	return 0;
}

/* ---- As a whole ----------------------------------------------------------------------------- */

static int or_text(char **text, const char *otherwise, struct pb_error *error)
{
	return *text ? 0 : take_text(otherwise, text, error);
}

static int fill_in(struct fleet_conf *conf, struct pb_error *error)
{
	char host[256] = "";

	if (!conf->host && (gethostname(host, sizeof(host) - 1) || !*host))
		return fleet_fail(error, EINVAL, "this host has no name: `host` gives it one");
	if (!conf->host && take_host(host, &conf->host, error))
		return -EINVAL;
	return or_text(&conf->prefix, FLEET_PREFIX_DEFAULT, error) ?:
		       or_text(&conf->state, FLEET_STATE_DEFAULT, error);
}

static int check(const struct fleet_conf *conf, const char *path, struct pb_error *error)
{
	if (!conf->endpoints.nr)
		return fleet_fail(error, EINVAL, "%s: `endpoints` is missing: where is etcd?",
				  path);
	if (!conf->cert != !conf->key)
		return fleet_fail(error, EINVAL, "%s: `%s` is missing: a certificate has a key",
				  path, conf->cert ? "key" : "cert");
	if (!conf->user != !conf->password_file)
		return fleet_fail(error, EINVAL, "%s: `%s` is missing: a user has a password", path,
				  conf->user ? "password-file" : "user");
	return 0;
}

int fleet_conf_read(const char *path, struct fleet_conf **conf, struct pb_error *error)
{
	struct fleet_conf *made = calloc(1, sizeof(*made));
	struct reading reading = { .path = path, .conf = made };
	struct pb_error unheard = { "" };
	FILE *file;
	int err;

	error = error ?: &unheard;
	if (!made)
		return fleet_fail_memory(error);
	made->confirm = CONFIRM_DEFAULT;
	file = fopen(path, "re");
	if (!file)
		err = fleet_fail(error, errno, "cannot read %s: %s", path, strerror(errno));
	else
		err = read_lines(file, &reading, error);
	if (file)
		fclose(file);
	if (!err)
		err = fill_in(made, error) ?: check(made, path, error);
	if (err)
		fleet_conf_free(made);
	else
		*conf = made;
	return err;
}

static void free_list(struct fleet_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free(list->texts[i]);
	free(list->texts);
}

void fleet_conf_free(struct fleet_conf *conf)
{
	if (!conf)
		return;
	free_list(&conf->endpoints);
	free_list(&conf->groups);
	free_list(&conf->trust);
	pb_words_free(conf->command.texts, conf->command.nr);
	free(conf->rulesets);
	free(conf->sets);
	free(conf->cacert);
	free(conf->cert);
	free(conf->key);
	free(conf->user);
	free(conf->password_file);
	free(conf->host);
	free(conf->prefix);
	free(conf->state);
	free(conf);
}
