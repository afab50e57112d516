// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet set add|del|load|flush|list: what the hosts of a fleet share in a set. */
#include <stdlib.h>
#include <string.h>
#include "fleet.h"
#include "fleet/publish.h"
#include "fleet/set-content.h"
#include "json.h"
#include "set.h"

/* ---- Words ---------------------------------------------------------------------------------- */

static int not_shared(const struct arguments *arguments, const struct fleet_conf *conf)
{
	char names[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < conf->nr_sets && len < sizeof(names); i++)
		len += snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
				conf->sets[i].remote);
	if (!conf->nr_sets)
		note("fleet.conf shares no set '%s', and no other: `sets = %s` does",
		     arguments->words[0], arguments->words[0]);
	else
		note("fleet.conf shares no set '%s': `sets` names %s", arguments->words[0], names);
	return FAILED;
}

/* NAME, and as many words behind it; FAILED where the host does not share it. */
static int read_words(const struct arguments *arguments, const struct fleet_conf *conf,
		      size_t wanted, bool more, const char *what)
{
	int ret = set_words(arguments, wanted, more, what);

	if (ret == DONE && !fleet_shared_find(conf, arguments->words[0]))
		ret = not_shared(arguments, conf);
	return ret;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pb_prefix));
}

/* Each once: etcd takes no key twice in a step. */
static void unique(struct pb_element *elements, size_t *nr)
{
	size_t kept = 0;

	if (*nr)
		qsort(elements, *nr, sizeof(*elements), compare);
	for (size_t i = 0; i < *nr; i++)
		if (!kept || compare(&elements[kept - 1], &elements[i]))
			elements[kept++] = elements[i];
	*nr = kept;
}

/* ---- add, del ------------------------------------------------------------------------------- */

static int change(const struct arguments *arguments, const struct fleet_conf *conf, bool adds,
		  const char *what)
{
	const char *name = arguments->words ? arguments->words[0] : NULL;
	struct pb_element *elements = NULL;
	struct fleet_etcd *etcd = NULL;
	struct pb_error error;
	__u64 timeout = 0;
	size_t nr = 0;
	int ret = read_words(arguments, conf, 1, true, what), err;

	if (ret == DONE)
		ret = set_timeout(arguments, &timeout);
	if (ret == DONE)
		ret = set_elements(arguments, &elements, &nr);
	if (ret != DONE)
		return ret;
	unique(elements, &nr);
	err = fleet_etcd_open(conf, &etcd, &error);
	if (!err && adds)
		err = fleet_bans_put(etcd, conf, name, elements, nr, timeout, &error);
	else if (!err)
		err = fleet_bans_delete(etcd, conf, name, elements, nr, &error);
	if (err)
		ret = fail(&error);
	else
		print("%zu address%s %s of the fleet's %s now.\n", nr, nr == 1 ? " is" : "es are",
		      adds ? "among the bans" : "not among the bans", name);
	fleet_etcd_close(etcd);
	free(elements);
	return ret;
}

int fleet_set_add(const struct arguments *arguments, const struct fleet_conf *conf)
{
	return change(arguments, conf, true,
		      "ban what? Say 192.0.2.7, 10.0.0.0/8,2001:db8::/32, or @./FILE");
}

int fleet_set_del(const struct arguments *arguments, const struct fleet_conf *conf)
{
	return change(arguments, conf, false,
		      "which bans? Say 192.0.2.7, 10.0.0.0/8,2001:db8::/32, or @./FILE; `fleet set "
		      "flush` takes all away");
}

/* ---- load, flush ---------------------------------------------------------------------------- */

/* A list that is empty is most often one that did not come. */
static int refuse_empty(const struct arguments *arguments)
{
	const char *path = arguments->words[1];

	note("%s holds no addresses, and the fleet's %s is as it was: `fleet set flush` empties it",
	     strcmp(path, "-") ? path : "standard input", arguments->words[0]);
	return FAILED;
}

static int load(const struct fleet_conf *conf, const char *name, const struct pb_element *elements,
		size_t nr)
{
	struct fleet_published published;
	struct fleet_etcd *etcd;
	struct pb_error error;
	int err = fleet_etcd_open(conf, &etcd, &error);

	if (err)
		return fail(&error);
	err = fleet_list_put(etcd, conf, name, elements, nr, &published, &error);
	fleet_etcd_close(etcd);
	if (err)
		return fail(&error);
	print("%zu element%s in the list of the fleet's %s now, and no others; of its %zu chunk%s "
	      "%zu %s new.\n",
	      nr, nr == 1 ? " is" : "s are", name, published.chunks,
	      published.chunks == 1 ? "" : "s", published.written,
	      published.written == 1 ? "is" : "are");
	return DONE;
}

int fleet_set_load(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct pb_error error, masked = { "" };
	struct pb_element *elements;
	size_t nr;
	int ret = read_words(arguments, conf, 1, false, "from which file? - is standard input");

	if (ret != DONE)
		return ret;
	if (pb_elements_read(arguments->words[1], &elements, &nr, &masked, &error))
		return fail(&error);
	if (*masked.text)
		note("%s", masked.text);
	ret = nr ? load(conf, arguments->words[0], elements, nr) : refuse_empty(arguments);
	free(elements);
	return ret;
}

int fleet_set_flush(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_published published;
	struct fleet_etcd *etcd = NULL;
	struct pb_error error;
	int ret = read_words(arguments, conf, 0, false, NULL), err;

	if (ret != DONE)
		return ret;
	err = fleet_etcd_open(conf, &etcd, &error);
	if (!err)
		err = fleet_list_put(etcd, conf, arguments->words[0], NULL, 0, &published, &error);
	if (!err)
		err = fleet_bans_flush(etcd, conf, arguments->words[0], &error);
	fleet_etcd_close(etcd);
	if (err)
		return fail(&error);
	print("The fleet has nothing in %s now.\n", arguments->words[0]);
	return DONE;
}

/* ---- list ----------------------------------------------------------------------------------- */

/* What is left of it, ns; false: it is over. */
static bool time_left(const struct fleet_ban *ban, __u64 *ns)
{
	__u64 expires;

	if (!fleet_until_expires(ban->until, &expires))
		return false;
	*ns = expires ? seconds_left(expires, pb_clock()) * 1000000000 ?: 1 : 0;
	return true;
}

static void print_ban(const struct fleet_banned *banned)
{
	char text[ELEMENT_TEXT], *left = NULL;
	__u64 ns;

	if (!time_left(&banned->ban, &ns))
		return;
	if (ns)
		left = pb_duration_text(ns);
	print("%-18s  %-10s  %s\n", element_text(&banned->prefix, false, text),
	      ns ? kept(left) : "-", banned->ban.host);
	free(left);
}

static void print_content(const char *name, const struct fleet_content *content)
{
	print("Set %s of the fleet, bans %zu, list %u in %zu chunk%s\n", name, content->nr_bans,
	      content->nr, content->chunks, content->chunks == 1 ? "" : "s");
	if (content->nr_bans)
		print("%-18s  %-10s  %s\n", "BAN", "LEFT", "HOST");
	for (size_t i = 0; i < content->nr_bans; i++)
		print_ban(&content->bans[i]);
	if (content->wrong)
		note("%zu ban%s of %s cannot be understood, and %s left out", content->wrong,
		     content->wrong == 1 ? "" : "s", name, content->wrong == 1 ? "is" : "are");
}

static struct json_object *ban_json(const struct fleet_banned *banned, __u64 ns)
{
	char prefix[ELEMENT_TEXT], until[FLEET_UNTIL_TEXT];
	struct json_object *json = json_new_object();

	if (banned->ban.until)
		fleet_until_text(banned->ban.until, until);
	json_add(json, "prefix", json_string(element_text(&banned->prefix, true, prefix)));
	json_add(json, "until", banned->ban.until ? json_string(until) : NULL);
	json_add(json, "expires_in", ns ? json_uint(ns / 1000000000) : NULL);
	json_add(json, "host", json_string(banned->ban.host));
	return json;
}

static int print_json(const char *name, const struct fleet_content *content)
{
	struct json_object *json = json_new_object(), *bans = json_new_array();
	__u64 ns;

	for (size_t i = 0; i < content->nr_bans; i++)
		if (time_left(&content->bans[i].ban, &ns))
			json_append(bans, ban_json(&content->bans[i], ns));
	json_add(json, "set", json_string(name));
	json_add(json, "bans", bans);
	json_add(json, "listed", json_uint(content->nr));
	json_add(json, "chunks", json_uint(content->chunks));
	return json_print(json);
}

int fleet_set_list(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_content content;
	struct fleet_etcd *etcd = NULL;
	struct pb_error error;
	int ret = read_words(arguments, conf, 0, false, NULL), err;

	if (ret != DONE)
		return ret;
	err = fleet_etcd_open(conf, &etcd, &error);
	if (!err)
		err = fleet_content_read(etcd, conf, arguments->words[0], &content, &error);
	fleet_etcd_close(etcd);
	if (err)
		return fail(&error);
	if (given(arguments, OPT_JSON))
		ret = print_json(arguments->words[0], &content);
	else
		print_content(arguments->words[0], &content);
	fleet_content_free(&content);
	return ret;
}
