// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Load and upgrade: the filter on interfaces, all or none of those that are named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "attach/attach.h"
#include "attach/exchange.h"
#include "attach/interface.h"
#include "attach/native.h"
#include "maps/folders.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/reader.h"
#include "maps/readers.h"
#include "maps/restored.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "rules/rules.h"
#include "util/error.h"
#include "util/log.h"
#include "util/options.h"

/* ---- One load of several interfaces ------------------------------------------------------ */

/* An interface of a load: as it was found, and what is to be done. */
struct target {
	struct pb_interface before;
	struct pb_instances ours; /* one, if it was loaded */
	struct pb_ruleset *moved_from;
	int outcomes;  /* keeps the counters of a moved one, to go back to; else -1 */
	int program;   /* likewise, and with it the native engine's module */
	__u32 readers; /* likewise */
	enum pb_loaded what;
	struct pb_interface *now; /* as it is in the end */
	char note[sizeof(((struct pb_load_result *)NULL)->note)];
};

struct load {
	struct pb_load_options options;
	struct pb_ruleset_options limits;
	const char *name; /* of the ruleset */
	struct pb_ruleset *ruleset;
	bool made;    /* the ruleset, by this load */
	bool changed; /* a ruleset that was there */
	bool given;   /* one that was there, to another group than `readers` */
	__u32 readers;
	struct pb_rules *before; /* what that was, */
	struct pb_saved *sets;	 /* and its sets, where elements were brought back */
	struct target *targets;
	size_t nr;
};

/* Says by what the interface's program differs from what is asked for; "" if it does not. */
static void say_difference(const struct load *load, const struct pb_interface *interface,
			   char *text, size_t size)
{
	const struct pb_load_options *options = &load->options;
	char option[PB_RULESET_OPTION_LEN];

	*text = '\0';
	if (options->mode != PB_MODE_AUTO && options->mode != interface->mode)
		snprintf(text, size, "in %s mode", pb_mode_name(interface->mode));
	else if (options->priority && interface->dispatcher &&
		 (__u32)options->priority != interface->priority)
		snprintf(text, size, "with priority %u", interface->priority);
	else if (options->require_dispatcher && !interface->dispatcher)
		snprintf(text, size, "without the dispatcher");
	else if (options->set_policy && !options->rules &&
		 !strcmp(interface->ruleset, load->name) &&
		 options->policy != interface->settings.policy)
		snprintf(text, size, "with policy %s (`xdp-portblock policy%s %s` changes it)",
			 pb_policy_name(interface->settings.policy),
			 pb_ruleset_option(load->name, option), pb_policy_name(options->policy));
}

static int fail_version(const struct pb_interface *interface, struct pb_error *error)
{
	return pb_fail(error, EPROTO,
		       "%s: already loaded, by another version of xdp-portblock (layout %u, this "
		       "one has %u): `xdp-portblock unload %s`, then load it again",
		       interface->name, interface->abi_version, PB_ABI_VERSION, interface->name);
}

/* The rules of an interface that is loaded can't be reached: the pins are gone, or say why. */
static int fail_pins(const struct pb_interface *interface, struct pb_error *error)
{
	struct pb_ruleset *ruleset = NULL;
	int ret = pb_ruleset_open(interface->ruleset, &ruleset, error);

	pb_ruleset_close(ruleset);
	if (ret && ret != -ENOENT)
		return ret;
	return pb_fail(
		error, EEXIST,
		"%s: already loaded, but the pins of its ruleset '%s' are gone: `xdp-portblock "
		"unload %s`, then load it again",
		interface->name, interface->ruleset, interface->name);
}

static int check_loaded(const struct load *load, const struct pb_interface *interface,
			struct pb_error *error)
{
	char difference[128];

	if (!interface->pinned)
		return fail_pins(interface, error);
	say_difference(load, interface, difference, sizeof(difference));
	if (!*difference)
		return 0;
	return pb_fail(error, EEXIST,
		       "%s: already loaded, but %s: unload it first to load it otherwise",
		       interface->name, difference);
}

static int check_foreign(const struct load *load, const struct pb_interface *interface,
			 struct pb_error *error)
{
	const struct pb_load_options *options = &load->options;

	if (!interface->dispatcher)
		return pb_fail(error, EBUSY,
			       "%s: the XDP program '%s' (id %u) holds the interface without "
			       "libxdp's dispatcher, so no other can be added: take it off "
			       "(`ip link set dev %s xdp off`) or load it by xdp-loader",
			       interface->name, interface->chain[0].name, interface->chain[0].id,
			       interface->name);
	if (options->mode != PB_MODE_AUTO && options->mode != interface->mode)
		return pb_fail(error, EBUSY,
			       "%s: its programs are loaded in %s mode, and all must use the same: "
			       "use `-m %s`",
			       interface->name, pb_mode_name(interface->mode),
			       pb_mode_name(interface->mode));
	return 0;
}

/* What is on an interface, of which all can be seen, and one program at most is ours. */
static int look_at_single(int ifindex, struct pb_interface *interface, struct pb_instances *ours,
			  struct pb_error *error)
{
	int ret = pb_interface_look(ifindex, interface, ours, error);

	if (!ret)
		ret = pb_interface_clear(interface, error);
	return ret ?: pb_interface_single(interface, error);
}

static bool changes_ruleset(const struct load *load, const struct pb_interface *interface)
{
	return strcmp(interface->ruleset, load->name);
}

static bool changes_engine(const struct load *load, const struct pb_interface *interface)
{
	enum pb_engine engine = load->options.engine;

	return engine != PB_ENGINE_AUTO && engine != interface->engine;
}

static bool gets_native(const struct load *load, const struct target *target)
{
	enum pb_engine engine = load->options.engine ?: target->before.engine;

	return target->what != PB_ALREADY_LOADED && engine == PB_ENGINE_NATIVE;
}

/* What a moved one is moved from is there until the end. */
static int keep_moved(struct target *target, struct pb_error *error)
{
	const struct pb_instance *ours = &target->ours.list[0];

	/* By id, as pb_instance_of() has them: neither is pinned. */
	target->outcomes = pb_map_open(ours->outcomes_id);
	target->program = bpf_prog_get_fd_by_id(ours->program_id);
	target->readers = pb_readers_of(target->before.ruleset);
	return pb_ruleset_open(target->before.ruleset, &target->moved_from, error);
}

/* Whether an interface can be loaded, and how, before anything is changed. */
static int check_target(const struct load *load, int ifindex, struct target *target,
			struct pb_error *error)
{
	struct pb_interface *interface = &target->before;
	int ret = look_at_single(ifindex, interface, &target->ours, error);

	if (ret)
		return ret;
	if (!interface->loaded) {
		target->what = PB_LOADED;
		return interface->nr_chain ? check_foreign(load, interface, error) : 0;
	}
	if (interface->abi_version != PB_ABI_VERSION)
		return fail_version(interface, error);
	target->what = changes_ruleset(load, interface) || changes_engine(load, interface) ?
			       PB_MOVED :
			       PB_ALREADY_LOADED;
	if (changes_ruleset(load, interface) && !load->options.ruleset)
		return pb_fail(error, EEXIST,
			       "%s: already loaded, but with the ruleset '%s': `-r %s` moves it to "
			       "this one",
			       interface->name, interface->ruleset, load->name);
	ret = check_loaded(load, interface, error);
	if (!ret && target->what == PB_MOVED)
		ret = keep_moved(target, error);
	return ret;
}

/* ---- The ruleset, before any interface is judged by it ------------------------------------ */

static int edit_rules(const struct load *load, struct pb_rules *rules, struct pb_error *error)
{
	const struct pb_load_options *options = &load->options;
	int ret = 0;

	if (options->rules)
		ret = pb_rules_replace(rules, options->rules, error);
	if (!ret && options->set_policy)
		ret = pb_rules_policy(rules, options->policy, error);
	if (!ret && options->saved)
		ret = pb_rules_restore(rules, options->saved, error);
	return ret;
}

/* What --rules, --policy and --elements ask for, in one transaction; what was there is kept for undo. */
static int change_rules(struct load *load, struct pb_error *error)
{
	struct pb_rules *rules;
	int ret = pb_ruleset_read(load->ruleset, &load->before, error);

	if (!ret)
		ret = pb_ruleset_begin(load->ruleset, &rules, error);
	if (ret)
		return ret;
	ret = edit_rules(load, rules, error);
	if (!ret && load->options.saved)
		ret = pb_sets_read_all(load->ruleset, &load->sets, error);
	if (ret)
		pb_ruleset_abort(load->ruleset, rules);
	else
		ret = pb_ruleset_commit(load->ruleset, rules, 0, error);
	load->changed = !ret;
	return ret;
}

static void undo_rules(struct load *load)
{
	struct pb_rules *rules;

	if (pb_ruleset_begin(load->ruleset, &rules, NULL))
		return;
	pb_rules_free(rules);
	if (!pb_ruleset_commit(load->ruleset, load->before, 0, NULL))
		pb_ruleset_sweep(load->ruleset);
	load->before = NULL;
	if (load->sets)
		pb_sets_unmerge(load->ruleset, load->options.saved, load->sets);
}

/* Filled before it gets its name: what others can see is whole. */
static int make_ruleset(struct load *load, struct pb_error *error)
{
	struct pb_rules rules = {};
	int ret = pb_ruleset_create(load->name, &load->limits, &load->ruleset, error);

	if (ret)
		return ret;
	rules.max_rules = load->ruleset->maps.config->max_rules;
	ret = edit_rules(load, &rules, error);
	if (!ret)
		ret = pb_ruleset_fill(load->ruleset, &rules, error);
	if (!ret && load->options.saved)
		ret = pb_sets_merge_unseen(load->ruleset, load->options.saved, error);
	pb_rules_clear(&rules);
	if (ret)
		return ret;
	ret = pb_maps_pin(&load->ruleset->maps, load->name, load->options.group, error);
	load->made = !ret;
	return ret;
}

static int check_limits(const struct load *load, struct pb_error *error)
{
	const struct pb_ruleset_options *limits = &load->limits;
	const struct pb_config *config = load->ruleset->maps.config;

	if ((!limits->max_rules || limits->max_rules == config->max_rules) &&
	    (!limits->max_sources || limits->max_sources == config->max_sources) &&
	    (!limits->max_buckets || limits->max_buckets == config->max_buckets))
		return 0;
	return pb_fail(
		error, EEXIST,
		"the ruleset '%s' is there already, with --max-rules %u, --max-sources %u and "
		"--max-buckets %u: unload all of its interfaces, or `xdp-portblock unload "
		"--all`, to make it anew",
		load->name, config->max_rules, config->max_sources, config->max_buckets);
}

/* Of a ruleset that is there already. */
static int give_ruleset(struct load *load, struct pb_error *error)
{
	load->readers = pb_readers_of(load->name);
	load->given = load->readers != load->options.group;
	return load->given ? pb_readers_set(load->name, load->options.group, error) : 0;
}

static int prepare_ruleset(struct load *load, struct pb_error *error)
{
	int ret = pb_readers_check(load->options.group, error);

	if (ret)
		return ret;
	ret = pb_ruleset_open(load->name, &load->ruleset, error);
	if (ret == -ENOENT)
		return make_ruleset(load, error);
	if (!ret)
		ret = pb_ruleset_check_writable(load->ruleset, error) ?: check_limits(load, error);
	if (!ret && load->options.set_group)
		ret = give_ruleset(load, error);
	if (!ret && (load->options.rules || load->options.set_policy || load->options.saved))
		ret = change_rules(load, error);
	return ret;
}

/* ---- The interfaces ----------------------------------------------------------------------- */

/* Looks at what has become of an interface. */
static int check_attached(const struct load *load, struct target *target, struct pb_error *error)
{
	struct pb_interface *interface = target->now;
	size_t used = strlen(target->note);
	int ret = pb_interface_see(interface->ifindex, interface, error);

	if (ret)
		return ret;
	if (!interface->loaded)
		return pb_fail(error, EBUSY,
			       "%s: another program took the interface at the same moment",
			       interface->name);
	if (interface->dispatcher)
		return 0;
	if (load->options.require_dispatcher)
		return pb_fail(
			error, EOPNOTSUPP,
			"%s: libxdp's dispatcher can't be used here (the kernel refuses to "
			"attach programs to it); without --require-dispatcher it is loaded as "
			"a single program",
			interface->name);
	snprintf(target->note + used, sizeof(target->note) - used,
		 "%sthe kernel refuses libxdp's dispatcher, so no other XDP program can be added",
		 used ? "; " : "");
	return 0;
}

/* Whatever programs of ours are on the interface now. */
static void take_off(int ifindex)
{
	struct pb_instances ours;
	struct pb_interface now;

	if (pb_interface_look(ifindex, &now, &ours, NULL))
		return;
	for (unsigned int i = 0; i < ours.nr; i++)
		pb_detach(ifindex, ours.list[i].program_id, NULL);
}

static void move_back(const struct target *target)
{
	const struct pb_attach how = { .maps = &target->moved_from->maps,
				       .native = target->ours.list[0].native,
				       .priority = target->before.priority,
				       .outcomes_id = target->ours.list[0].outcomes_id };
	struct pb_instances ours;
	struct pb_interface now;

	if (pb_interface_look(target->before.ifindex, &now, &ours, NULL) || ours.nr != 1 ||
	    ours.list[0].program_id == target->ours.list[0].program_id)
		return;
	pb_replace(&how, &now, &ours.list[0], NULL);
	/* if it is not */
	pb_maps_pin(&target->moved_from->maps, target->before.ruleset, target->readers, NULL);
}

static void undo_target(const struct target *target)
{
	if (target->what == PB_LOADED)
		take_off(target->before.ifindex);
	if (target->what == PB_MOVED)
		move_back(target);
}

/* How the program is to be attached: what is moved stays as it is in all else. */
static struct pb_attach attach_of(const struct load *load, const struct target *target)
{
	const struct pb_interface *before = &target->before;
	enum pb_engine engine = load->options.engine ?: before->engine;
	struct pb_attach how = { .maps = &load->ruleset->maps,
				 .mode = load->options.mode,
				 .native = engine == PB_ENGINE_NATIVE,
				 .priority = load->options.priority };

	if (target->what != PB_MOVED)
		return how;
	how.priority = before->priority;
	if (!changes_ruleset(load, before))
		how.outcomes_id = target->ours.list[0].outcomes_id;
	return how;
}

static int load_target(const struct load *load, struct target *target, struct pb_error *error)
{
	const struct pb_attach how = attach_of(load, target);
	int ret = 0;

	*target->now = target->before;
	if (target->what == PB_LOADED)
		ret = pb_attach(&how, &target->before, target->note, error);
	else if (target->what == PB_MOVED)
		ret = pb_replace(&how, &target->before, &target->ours.list[0], error);
	if (!ret)
		ret = check_attached(load, target, error);
	if (target->what == PB_ALREADY_LOADED)
		*target->note = '\0'; /* it is as it was */
	/* The module may have gone at the same moment. */
	if (ret && how.native && pb_native_check(error))
		ret = -ENOPKG;
	if (ret)
		undo_target(target);
	return ret;
}

static void undo_load(struct load *load, size_t done)
{
	for (size_t i = 0; i < done; i++)
		undo_target(&load->targets[i]);
	if (load->made)
		pb_maps_unpin(load->name, NULL);
	else if (load->changed)
		undo_rules(load);
	if (load->given)
		pb_readers_set(load->name, load->readers, NULL);
}

/* Rulesets that interfaces were moved from, and that none uses any more. */
static int release_moved(const struct load *load, struct pb_error *error)
{
	__u32 *gone = calloc(load->nr, sizeof(*gone));
	int ret = gone ? 0 : pb_fail_memory(error);

	for (size_t i = 0; !ret && i < load->nr; i++)
		gone[i] = load->targets[i].what == PB_MOVED ?
				  load->targets[i].ours.list[0].program_id :
				  0;
	for (size_t i = 0; !ret && i < load->nr; i++)
		if (load->targets[i].what == PB_MOVED)
			ret = pb_ruleset_release(load->targets[i].ours.list[0].config_id, gone,
						 load->nr, error);
	free(gone);
	return ret;
}

static int load_locked(struct load *load, const int *ifindexes, struct pb_error *error)
{
	const struct pb_ruleset_options *limits = &load->limits;
	bool wanted = load->options.rules || load->options.saved || load->options.set_group ||
		      limits->max_rules || limits->max_sources || limits->max_buckets;
	size_t done = 0;
	int ret = 0;

	for (size_t i = 0; i < load->nr; i++)
		load->targets[i].outcomes = load->targets[i].program = -1;
	for (size_t i = 0; !ret && i < load->nr; i++) {
		ret = check_target(load, ifindexes[i], &load->targets[i], error);
		if (!ret && gets_native(load, &load->targets[i]))
			ret = pb_native_check(error);
		wanted |= load->targets[i].what != PB_ALREADY_LOADED;
	}
	if (!ret && wanted)
		ret = prepare_ruleset(load, error);
	for (; !ret && done < load->nr; done++) {
		ret = load_target(load, &load->targets[done], error);
		if (ret)
			break;
	}
	if (!ret)
		ret = release_moved(load, error);
	if (ret)
		undo_load(load, done);
	else if (load->ruleset) /* from now on it is kept by those that use it */
		load->ruleset->maps.config->keep = false;
	for (size_t i = 0; i < load->nr; i++) {
		pb_ruleset_close(load->targets[i].moved_from);
		if (load->targets[i].outcomes >= 0)
			close(load->targets[i].outcomes);
		if (load->targets[i].program >= 0)
			close(load->targets[i].program);
	}
	pb_rules_free(load->before);
	pb_saved_free(load->sets);
	pb_ruleset_close(load->ruleset);
	return ret;
}

/* What is loaded is found again by ids: better refused before than after it is attached. */
static int check_rights(struct pb_error *error)
{
	__u32 id;

	if (!bpf_prog_get_next_id(0, &id) || errno == ENOENT)
		return 0;
	return pb_fail_permission(error, errno, "look XDP programs up");
}

static int take_options(struct load *load, const struct pb_load_options *options,
			struct pb_error *error)
{
	int ret = pb_options_take(&load->options, sizeof(load->options), options, error);

	if (!ret)
		ret = pb_options_take(&load->limits, sizeof(load->limits), load->options.limits,
				      error);
	if (!ret && load->options.engine >= PB_ENGINE_MAX)
		ret = pb_fail(error, EINVAL, "%u is not an engine", load->options.engine);
	if (!load->options.set_group)
		load->options.group = 0;
	load->name = load->options.ruleset ?: "default";
	return ret ?: pb_ruleset_name_check(load->name, error);
}

/* Room for what is handed out, too, so that nothing can fail when all is done. */
static int make_targets(struct load *load)
{
	load->targets = calloc(load->nr, sizeof(*load->targets));
	for (size_t i = 0; load->targets && i < load->nr; i++) {
		load->targets[i].now = calloc(1, sizeof(*load->targets[i].now));
		if (!load->targets[i].now)
			return -ENOMEM;
	}
	return load->targets ? 0 : -ENOMEM;
}

static void hand_out(struct load *load, struct pb_load_result *results)
{
	for (size_t i = 0; results && i < load->nr; i++) {
		struct target *target = &load->targets[i];

		results[i].what = target->what;
		results[i].interface = target->now;
		memcpy(results[i].note, target->note, sizeof(target->note));
		target->now = NULL;
	}
}

static void free_targets(struct load *load)
{
	for (size_t i = 0; load->targets && i < load->nr; i++)
		free(load->targets[i].now);
	free(load->targets);
}

int pb_filter_load(const int *ifindexes, size_t nr, const struct pb_load_options *options,
		   struct pb_load_result *results, struct pb_error *error)
{
	PB_LOG_HERE();
	struct load load = { .nr = nr };
	int ret = take_options(&load, options, error), lock;

	if (!ret)
		ret = pb_bpffs_check(error);
	if (!ret)
		ret = check_rights(error);
	if (!ret && make_targets(&load))
		ret = pb_fail_memory(error);
	if (!ret) {
		lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
		ret = lock < 0 ? lock : pb_exchanges_recover(NULL, error);
		if (!ret)
			ret = load_locked(&load, ifindexes, error);
		if (!ret)
			hand_out(&load, results);
		pb_pins_tidy();
		pb_unlock(lock);
	}
	free_targets(&load);
	return ret;
}

/* ---- Upgrade ----------------------------------------------------------------------------- */

static int upgrade_one(int ifindex, struct pb_interface *interface, struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	struct pb_instances ours;
	struct pb_attach how = {};
	int ret = look_at_single(ifindex, interface, &ours, error);

	if (ret)
		return ret;
	if (!interface->loaded)
		return pb_fail(error, ENOENT, "%s: xdp-portblock is not loaded on it",
			       interface->name);
	if (interface->engine == PB_ENGINE_NATIVE && (ret = pb_native_check(error)))
		return ret;
	/* Before it is opened by its name, which only maps of this version tell for certain. */
	if (interface->abi_version != PB_ABI_VERSION)
		return fail_version(interface, error);
	ret = pb_ruleset_open(interface->ruleset, &ruleset, error);
	if (ret)
		return ret;
	how.maps = &ruleset->maps;
	how.native = ours.list[0].native;
	how.priority = interface->priority;
	how.outcomes_id = ours.list[0].outcomes_id;
	ret = pb_replace(&how, interface, &ours.list[0], error);
	pb_ruleset_close(ruleset);
	return ret ?: pb_interface_see(ifindex, interface, error);
}

static int upgrade_all(const int *ifindexes, size_t nr, struct pb_interface **interfaces,
		       struct pb_error *error)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < nr; i++) {
		interfaces[i] = calloc(1, sizeof(**interfaces));
		ret = interfaces[i] ? upgrade_one(ifindexes[i], interfaces[i], error) :
				      pb_fail_memory(error);
	}
	return ret;
}

int pb_filter_upgrade(const int *ifindexes, size_t nr, struct pb_interface **interfaces,
		      struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_interface **made = calloc(nr + 1, sizeof(*made));
	int ret = made ? pb_bpffs_check(error) : pb_fail_memory(error), lock;

	if (!ret) {
		lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
		ret = lock < 0 ? lock : pb_exchanges_recover(NULL, error);
		if (!ret)
			ret = upgrade_all(ifindexes, nr, made, error);
		pb_pins_tidy();
		pb_unlock(lock);
	}
	if (ret || !interfaces) {
		pb_interfaces_free(made, nr);
		return ret;
	}
	memcpy(interfaces, made, nr * sizeof(*made));
	free(made);
	return 0;
}
