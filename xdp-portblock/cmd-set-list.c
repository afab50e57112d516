// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock set list|test: what is in sets */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "set.h"

/* A set, and its elements where they are asked for. */
struct content {
	const struct pb_set *set;
	struct pb_element *elements;
	size_t nr;
};

struct contents {
	struct pb_set **sets;
	size_t nr_sets;
	struct content *list;
	size_t nr;
};

/* ---- Text ----------------------------------------------------------------------------------- */

static void print_timeout(__u64 ns)
{
	char *text = ns ? pb_duration_text(ns) : NULL;

	fputs(ns ? kept(text) : "-", stdout);
	free(text);
}

static void print_sets(const struct contents *contents, const char *ruleset)
{
	int width = 4;

	printf("Ruleset %s\n", ruleset);
	if (!contents->nr) {
		printf("No sets.\n");
		return;
	}
	for (size_t i = 0; i < contents->nr; i++)
		if ((int)strlen(contents->list[i].set->name) > width)
			width = strlen(contents->list[i].set->name);
	printf("%-*s  %8s  %8s  %s\n", width, "NAME", "ELEMENTS", "MAX", "TIMEOUT");
	for (size_t i = 0; i < contents->nr; i++) {
		const struct pb_set *set = contents->list[i].set;

		printf("%-*s  %8u  %8u  ", width, set->name, set->nr, set->max);
		print_timeout(set->timeout);
		print("%s%s\n", *set->file ? "  of " : "", set->file);
	}
}

static void print_elements(const struct content *content)
{
	__u64 now = pb_clock();
	char text[ELEMENT_TEXT];

	print("Set %s%s%s, elements %zu of at most %u, timeout ", content->set->name,
	      *content->set->file ? " of " : "", content->set->file, content->nr,
	      content->set->max);
	print_timeout(content->set->timeout);
	printf("\n");
	if (!content->nr) {
		printf("No elements.\n");
		return;
	}
	printf("%-18s  %s\n", "ELEMENT", "LEFT");
	for (size_t i = 0; i < content->nr; i++) {
		const struct pb_element *element = &content->elements[i];

		printf("%-18s  ", element_text(&element->prefix, false, text));
		print_timeout(element->expires ?
				      seconds_left(element->expires, now) * 1000000000 ?: 1 :
				      0);
		printf("\n");
	}
}

/* ---- JSON: by hand, since a set may have millions of elements ------------------------------- */

static void print_number(const char *key, __u64 number, bool there)
{
	if (there)
		printf(",\"%s\":%llu", key, (unsigned long long)number);
	else
		printf(",\"%s\":null", key);
}

/* Only the name of a file may need it to be escaped. */
static void print_file(const char *path)
{
	char *text = *path ? json_take_text(json_string(path), JSON_C_TO_STRING_PLAIN) : NULL;

	printf(",\"file\":%s", *path ? kept(text) : "null");
	free(text);
}

static void print_content(const struct content *content, __u64 now)
{
	const struct pb_set *set = content->set;
	char text[ELEMENT_TEXT];

	printf("{\"name\":\"%s\"", set->name);
	print_number("timeout", seconds_left(set->timeout, 0), set->timeout);
	print_number("max", set->max, true);
	print_file(set->file);
	print_number("nr", content->nr, true);
	printf(",\"elements\":[");
	for (size_t i = 0; i < content->nr; i++) {
		const struct pb_element *element = &content->elements[i];

		printf("%s{\"prefix\":\"%s\"", i ? "," : "",
		       element_text(&element->prefix, true, text));
		print_number("expires_in", seconds_left(element->expires, now), element->expires);
		printf("}");
	}
	printf("]}");
}

static void print_json(const struct contents *contents, const char *ruleset)
{
	__u64 now = pb_clock();

	printf("{\"ruleset\":\"%s\",\"sets\":[", ruleset);
	for (size_t i = 0; i < contents->nr; i++) {
		if (i)
			printf(",");
		print_content(&contents->list[i], now);
	}
	printf("]}\n");
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* One that somebody has destroyed meanwhile is none, unless it was asked for. */
static int read_set(struct pb_ruleset *ruleset, const struct pb_set *set, bool named,
		    struct contents *contents, struct pb_error *error)
{
	struct content *content = &contents->list[contents->nr];
	int err = pb_set_elements(ruleset, set->name, &content->elements, &content->nr, error);

	if (err == -ENOENT && !named)
		return 0;
	if (err)
		return err;
	content->set = set;
	contents->nr++;
	return 0;
}

/* The library's words for a set that is not there. */
static int missing(struct pb_ruleset *ruleset, const char *name, struct pb_error *error)
{
	return pb_set_del(ruleset, name, NULL, 0, error);
}

static int read_contents(struct pb_ruleset *ruleset, const char *name, bool elements,
			 struct contents *contents, struct pb_error *error)
{
	int err = pb_sets_list(ruleset, &contents->sets, &contents->nr_sets, error);

	if (err)
		return err;
	contents->list = calloc(contents->nr_sets + 1, sizeof(*contents->list));
	if (!contents->list)
		return lack_memory(error);
	for (size_t i = 0; !err && i < contents->nr_sets; i++) {
		if (name && strcmp(name, contents->sets[i]->name))
			continue;
		if (elements)
			err = read_set(ruleset, contents->sets[i], name, contents, error);
		else
			contents->list[contents->nr++].set = contents->sets[i];
	}
	return err ?: name && !contents->nr ? missing(ruleset, name, error) : 0;
}

static void free_contents(struct contents *contents)
{
	for (size_t i = 0; i < contents->nr; i++)
		free(contents->list[i].elements);
	free(contents->list);
	pb_sets_free(contents->sets, contents->nr_sets);
}

int cmd_set_list(const struct arguments *arguments)
{
	const char *name = arguments->nr_words ? arguments->words[0] : NULL;
	bool json = given(arguments, OPT_JSON);
	struct contents contents = {};
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret = name ? set_words(arguments, 0, false, NULL) : DONE;

	if (ret != DONE)
		return ret;
	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	if (read_contents(ruleset, name, name || json, &contents, &error))
		ret = fail(&error);
	else if (json)
		print_json(&contents, ruleset_name(arguments));
	else if (!name)
		print_sets(&contents, ruleset_name(arguments));
	else if (contents.nr)
		print_elements(&contents.list[0]);
	free_contents(&contents);
	pb_ruleset_close(ruleset);
	return ret;
}

/* ---- test: exit 0 in it, 1 not, 2 error, as of diff ----------------------------------------- */

/* What was found of it. */
struct tested {
	char file[PB_SET_FILE_LEN]; /* "": the set is of none */
	const struct pb_element *element;
};

static int test_json(const struct arguments *arguments, const struct tested *tested)
{
	const struct pb_element *element = tested->element;
	struct json_object *json = json_new_object();
	char text[ELEMENT_TEXT];
	__u64 left = element && element->expires ? seconds_left(element->expires, pb_clock()) : 0;

	json_add(json, "ruleset", json_string(ruleset_name(arguments)));
	json_add(json, "set", json_string(arguments->words[0]));
	json_add(json, "file", *tested->file ? json_string(tested->file) : NULL);
	json_add(json, "address", json_string(arguments->words[1]));
	json_add(json, "in", json_boolean(element));
	json_add(json, "prefix",
		 element ? json_string(element_text(&element->prefix, true, text)) : NULL);
	json_add(json, "expires_in", element && element->expires ? json_uint(left) : NULL);
	return json_print(json);
}

static void test_text(const struct arguments *arguments, const struct tested *tested)
{
	const char *name = arguments->words[0], *address = arguments->words[1];
	const char *of = *tested->file ? " of " : "";
	const struct pb_element *element = tested->element;
	char text[ELEMENT_TEXT], *left;

	if (!element) {
		print("%s is not in %s%s%s.\n", address, name, of, tested->file);
		return;
	}
	print("%s is in %s%s%s, by %s, ", address, name, of, tested->file,
	      element_text(&element->prefix, false, text));
	if (element->expires) {
		left = pb_duration_text(seconds_left(element->expires, pb_clock()) * 1000000000);
		print("%s left.\n", kept(left));
		free(left);
	} else {
		printf("which does not expire.\n");
	}
}

static int read_host(const struct arguments *arguments, struct pb_prefix *host)
{
	const char *word = arguments->words[1];
	struct pb_error error;
	int err = pb_prefix_parse(word, host, NULL, &error);

	if (!err && host->len == (host->family == 4 ? 32 : 128))
		return DONE;
	if (err)
		return refused(arguments, err, OPT_MAX, &error);
	return wrong(arguments, "'%s' is more than one address: test one of them", word);
}

static int test(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *host,
		struct pb_element *element, char file[PB_SET_FILE_LEN], struct pb_error *error)
{
	int in = pb_set_test(ruleset, name, host, element, error);
	int err = in < 0 ? in : pb_set_file(ruleset, name, file, error);

	return err ?: in;
}

int cmd_set_test(const struct arguments *arguments)
{
	struct tested tested = {};
	struct pb_ruleset *ruleset;
	struct pb_element element;
	struct pb_prefix host;
	struct pb_error error;
	int ret = set_words(arguments, 1, false, "test which address?"), in;

	if (ret == DONE)
		ret = read_host(arguments, &host);
	if (ret != DONE)
		return WRONG_USAGE;
	in = pb_ruleset_open(ruleset_name(arguments), &ruleset, &error);
	if (!in) {
		in = test(ruleset, arguments->words[0], &host, &element, tested.file, &error);
		pb_ruleset_close(ruleset);
	}
	if (in < 0) {
		fail(&error);
		return WRONG_USAGE;
	}
	tested.element = in ? &element : NULL;
	if (given(arguments, OPT_JSON))
		ret = test_json(arguments, &tested);
	else
		test_text(arguments, &tested);
	if (ret != DONE || finish_output() != DONE)
		return WRONG_USAGE;
	return in ? DONE : FAILED;
}
