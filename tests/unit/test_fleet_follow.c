// SPDX-License-Identifier: GPL-2.0-only
/* Which revision a host is to have, and which files of rules a revision may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "fleet/before.h"
#include "fleet/file-rules.h"
#include "fleet/follow.h"
#include "fleet/order.h"
#include "fleet/probe.h"
#include "says.h"

static char folder[] = "/tmp/pb-fleet-follow.XXXXXX";

/* ---- Which revision -------------------------------------------------------------------------- */

static struct fleet_conf conf = { .prefix = (char *)"/x/", .state = folder };
static const struct fleet_ruleset names = { "web", "default" };

/* The value of a revision; its id goes to `id`. The caller frees. */
static char *revision_text(const char *file, __s64 number, char id[FLEET_HASH_LEN])
{
	struct fleet_revision revision = {
		.ruleset = "web",
		.file = (char *)file,
		.author = (char *)"me@here",
		.time = "2026-01-01T00:00:00Z",
		.revision = number,
	};
	char *text;

	assert_int_equal(fleet_revision_id(&revision, revision.id), 0);
	strcpy(id, revision.id);
	text = fleet_revision_text(&revision);
	assert_non_null(text);
	return text;
}

static void take_revision(struct fleet_follow *follow, enum fleet_key key, const char *file,
			  __s64 number, char id[FLEET_HASH_LEN])
{
	char *text = revision_text(file, key == FLEET_KEY_GOOD ? number : 0, id);

	fleet_follow_take(follow, key, text, strlen(text), number);
	assert_string_equal(follow->wrong[key].text, "");
	free(text);
}

static void take_stage(struct fleet_follow *follow, const char *id, const char *upto,
		       enum fleet_stage_state state)
{
	struct fleet_stage stage = { .stage = 1, .of = 2, .state = state };
	char *text;

	strcpy(stage.id, id);
	strcpy(stage.upto, upto);
	text = fleet_stage_text(&stage);
	assert_non_null(text);
	fleet_follow_take(follow, FLEET_KEY_STAGE, text, strlen(text), 7);
	assert_string_equal(follow->wrong[FLEET_KEY_STAGE].text, "");
	free(text);
}

static __s64 target(const struct fleet_follow *follow, const char *host)
{
	const struct fleet_revision *revision = fleet_follow_target(follow, host);

	return revision ? revision->revision : 0;
}

/* Two hosts, of which `first` has its turn before `second`. */
static void in_order(const char *id, const char **first, const char **second,
		     char order[FLEET_HASH_LEN])
{
	char one[FLEET_HASH_LEN], other[FLEET_HASH_LEN];
	bool turned;

	assert_int_equal(fleet_order("h1", id, one) | fleet_order("h2", id, other), 0);
	turned = strcmp(one, other) > 0;
	*first = turned ? "h2" : "h1";
	*second = turned ? "h1" : "h2";
	strcpy(order, turned ? other : one);
}

static void test_keys(void **state)
{
	struct fleet_follow follow;

	(void)state;
	assert_int_equal(fleet_follow_begin(&follow, &conf, &names), 0);
	assert_string_equal(follow.keys[FLEET_KEY_RULESET], "/x/rulesets/web");
	assert_string_equal(follow.keys[FLEET_KEY_STAGE], "/x/stages/web");
	assert_string_equal(follow.keys[FLEET_KEY_GOOD], "/x/good/web");
	assert_int_equal(target(&follow, "h1"), 0);
	fleet_follow_end(&follow);
}

static void test_turns(void **state)
{
	char id[FLEET_HASH_LEN], good[FLEET_HASH_LEN], order[FLEET_HASH_LEN];
	const char *first, *second;
	struct fleet_follow follow;

	(void)state;
	assert_int_equal(fleet_follow_begin(&follow, &conf, &names), 0);
	take_revision(&follow, FLEET_KEY_RULESET, "drop tcp dport 22\n", 9, id);
	in_order(id, &first, &second, order);
	/* No stage, and then its turn, without a good one and with it. */
	assert_int_equal(target(&follow, first), 0);
	take_stage(&follow, id, order, FLEET_RUNNING);
	assert_int_equal(target(&follow, first), 9);
	assert_int_equal(target(&follow, second), 0);
	take_revision(&follow, FLEET_KEY_GOOD, "drop tcp dport 23\n", 5, good);
	assert_int_equal(target(&follow, first), 9);
	assert_int_equal(target(&follow, second), 5);
	take_stage(&follow, id, fleet_all, FLEET_RUNNING);
	assert_int_equal(target(&follow, second), 9);
	take_stage(&follow, id, fleet_all, FLEET_STOPPED);
	assert_int_equal(target(&follow, first), 5);
	take_stage(&follow, id, order, FLEET_DONE);
	assert_int_equal(target(&follow, second), 9);
	/* Of another revision: what belongs to it has not come yet. */
	take_stage(&follow, good, fleet_all, FLEET_DONE);
	assert_int_equal(target(&follow, first), 5);
	/* It is deleted. */
	fleet_follow_take(&follow, FLEET_KEY_GOOD, NULL, 0, 0);
	assert_int_equal(target(&follow, first), 0);
	fleet_follow_end(&follow);
}

/* What is no revision leaves none, says what is wrong, and what comes next is as if it had not been. */
static void test_garbage(void **state)
{
	static const char *const values[] = { "", "{}", "[]", "nothing", "{\"format\":2}" };
	char id[FLEET_HASH_LEN];
	struct fleet_follow follow;

	(void)state;
	assert_int_equal(fleet_follow_begin(&follow, &conf, &names), 0);
	for (int key = 0; key < FLEET_KEYS; key++)
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
			fleet_follow_take(&follow, key, values[i], strlen(values[i]), 3);
			if (!strstr(follow.wrong[key].text, follow.keys[key]))
				fail_msg("%s: %s", values[i], follow.wrong[key].text);
			assert_int_equal(follow.wrong_at[key], 3);
			assert_int_equal(target(&follow, "h1"), 0);
		}
	take_revision(&follow, FLEET_KEY_RULESET, "", 9, id);
	take_stage(&follow, id, fleet_all, FLEET_RUNNING);
	assert_int_equal(target(&follow, "h1"), 9);
	fleet_follow_end(&follow);
}

/* ---- What is older --------------------------------------------------------------------------- */

static char key[64], stranger[64], trusted[64];

static void make_keys(void)
{
	char command[512];

	snprintf(key, sizeof(key), "%s/key.pem", folder);
	snprintf(stranger, sizeof(stranger), "%s/stranger.pem", folder);
	snprintf(trusted, sizeof(trusted), "%s/trusted.pem", folder);
	snprintf(
		command, sizeof(command),
		"openssl genpkey -algorithm ed25519 -out %s 2>/dev/null && openssl genpkey -algorithm "
		"ed25519 -out %s 2>/dev/null && openssl pkey -in %s -pubout -out %s",
		key, stranger, key, trusted);
	assert_int_equal(system(command), 0);
}

/* The good one is now one of that time, signed by that key (NULL: by none), and it is in force here, or not. */
static void good_of(struct fleet_follow *follow, const char *time, __s64 number, const char *by,
		    bool in_force)
{
	struct fleet_revision revision = { .ruleset = "web",
					   .file = (char *)"drop tcp dport 22\n",
					   .author = (char *)"me@here",
					   .revision = number };
	struct pb_error error;
	char *text;

	strcpy(revision.time, time);
	assert_int_equal(fleet_revision_id(&revision, revision.id), 0);
	if (by)
		assert_int_equal(fleet_sign(revision.id, by, &revision.signature, &error), 0);
	text = fleet_revision_text(&revision);
	fleet_follow_take(follow, FLEET_KEY_GOOD, text, strlen(text), number);
	assert_non_null(follow->good);
	if (in_force)
		strcpy(follow->memory.id, revision.id);
	free(revision.signature);
	free(text);
}

static bool outdated_by(const struct fleet_follow *follow, const char *time, const char *why)
{
	struct fleet_revision revision = { .revision = 3 };
	struct pb_error error = { "" };
	bool old;

	strcpy(revision.time, time);
	old = fleet_follow_outdated(follow, &revision, &error);
	if (old && (!strstr(error.text, time) || !strstr(error.text, why)))
		fail_msg("%s", error.text);
	return old;
}

static bool outdated(const struct fleet_follow *follow, const char *time)
{
	return outdated_by(follow, time, follow->memory.settled);
}

/* Only what is signed by somebody trusted, in force here and good everywhere is a step behind which none goes. */
static void test_outdated(void **state)
{
	static const char day_1[] = "2026-01-01T10:00:00.5Z", day_2[] = "2026-01-02T10:00:00.5Z",
			  before_2[] = "2026-01-02T10:00:00.499999Z",
			  day_3[] = "2026-01-03T10:00:00Z";
	char *files[] = { trusted };
	struct fleet_conf trusting = conf;
	struct fleet_memory read = { .local = "default" };
	struct fleet_follow follow;
	struct pb_error error;

	(void)state;
	make_keys();
	assert_int_equal(fleet_follow_begin(&follow, &trusting, &names), 0);
	/* Without `trust`, nothing is older. */
	good_of(&follow, day_2, 5, key, true);
	assert_false(fleet_follow_settle(&follow));
	trusting.trust = (struct fleet_list){ files, 1 };
	assert_false(outdated(&follow, day_1));
	assert_true(fleet_follow_settle(&follow));
	assert_false(fleet_follow_settle(&follow));
	assert_int_equal(follow.memory.settled_revision, 5);
	assert_true(outdated(&follow, day_1));
	assert_true(outdated(&follow, before_2));
	assert_false(outdated(&follow, day_2));
	assert_false(outdated(&follow, day_3));
	/* Not signed; by a stranger; not in force here: no step. */
	good_of(&follow, day_3, 9, NULL, true);
	assert_false(fleet_follow_settle(&follow));
	good_of(&follow, day_3, 9, stranger, true);
	assert_false(fleet_follow_settle(&follow));
	good_of(&follow, "2026-01-03T10:00:00.1Z", 9, key, false);
	assert_false(fleet_follow_settle(&follow));
	assert_false(outdated(&follow, day_2));
	/* An old one that is good again, by whomever, leads no step back. */
	good_of(&follow, day_1, 10, key, true);
	assert_false(fleet_follow_settle(&follow));
	assert_true(outdated(&follow, day_1));
	/* Of a clock that is wrong: it would be the last one for ever. */
	assert_true(outdated_by(&follow, "9999-12-31T23:59:59Z", "more than a day from now"));
	/* None is there. */
	fleet_follow_take(&follow, FLEET_KEY_GOOD, NULL, 0, 0);
	assert_false(fleet_follow_settle(&follow));
	/* It lasts. */
	assert_int_equal(fleet_memory_write(folder, &follow.memory, &error), 0);
	assert_int_equal(fleet_memory_read(folder, &read), 0);
	assert_string_equal(read.settled, day_2);
	assert_int_equal(read.settled_revision, 5);
	fleet_memory_clear(&read);
	fleet_follow_end(&follow);
}

/* ---- Files of rules -------------------------------------------------------------------------- */

static int read_rules(const char *file, struct pb_rules **rules, struct pb_error *error)
{
	struct fleet_revision revision = { .ruleset = "web", .file = (char *)file };

	return fleet_rules_read(&revision, folder, "default", rules, error);
}

static struct pb_rules *rules_of(const char *file)
{
	struct pb_rules *rules = NULL;
	struct pb_error error = { "" };

	if (read_rules(file, &rules, &error))
		fail_msg("%s: %s", file, error.text);
	return rules;
}

static const struct wrong wrong_files[] = {
	{ "include \"/etc/shadow\"", "line 1: '/etc/shadow'", "file of the host" },
	{ "policy deny\ninclude x", "line 2: 'x'", "file of the host" },
	{ "drop tcp dport 1 from @/etc/shadow", "line 1: '@/etc/shadow'", NULL },
	{ "drop tcp dport 1 from 10.0.0.0/8,@./x", "line 1: '10.0.0.0/8,@./x'", NULL },
	{ "drop tcp dport 1 except @a/b,@c", "line 1: '@a/b,@c'", NULL },
	{ "drop from @/x", "line 1: '@/x'", NULL },
	{ "set bad file /etc/shadow", "line 1: '/etc/shadow'", NULL },
	{ "set bad timeout 1d file /etc/shadow", "line 1: '/etc/shadow'", NULL },
	{ "\xef\xbb\xbfinclude /etc/shadow", "line 1: '/etc/shadow'", "file of the host" },
	{ "\xef\xbb\xbfset bad file /etc/shadow\r\n", "line 1: '/etc/shadow'", "file of the host" },
	{ "nonsense", "line 1: ", NULL },
	{ "22/tcp\n23x/tcp\n24y/tcp", "line 2: ", "(and more)" },
	{ NULL, NULL, NULL },
};

static void test_wrong_files(void **state)
{
	struct pb_rules *rules = (void *)1;
	struct pb_error error = { "" };

	(void)state;
	for (const struct wrong *wrong = wrong_files; wrong->input; wrong++) {
		assert_says(wrong, read_rules(wrong->input, &rules, &error), -EINVAL, &error);
		assert_ptr_equal(rules, (void *)1);
		if (strstr(error.text, folder))
			fail_msg("%s: it names a file of ours: %s", wrong->input, error.text);
	}
}

/* Names of sets, and texts that look like names of files, are right. */
static void test_right_files(void **state)
{
	static const char *const files[] = {
		"",
		"set bans\ndrop from @bans",
		"drop tcp dport 22 from 10.0.0.0/8 comment \"@/etc/shadow\"",
		"drop tcp dport 22 comment @a/b",
		"# include \"/etc/shadow\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		pb_rules_free(rules_of(files[i]));
}

/* ---- What is the same ------------------------------------------------------------------------ */

static const struct {
	const char *wanted, *in_force;
	bool same;
} pairs[] = {
	{ "", "", true },
	{ "22/tcp", "22/tcp", true },
	{ "22/tcp\n23/tcp", "23/tcp\n22/tcp", true },
	{ "22/tcp", "", false },
	{ "", "22/tcp", false },
	{ "22/tcp", "22/udp", false },
	{ "drop 22/tcp", "allow 22/tcp", false },
	{ "22/tcp comment a", "22/tcp comment b", false },
	{ "policy deny", "policy allow", false },
	{ "answers 10/s", "answers 20/s", false },
	{ "22/tcp from 10.0.0.0/8", "22/tcp from 10.0.0.0/9", false },
	{ "22/tcp expires 1h", "22/tcp expires 1m", true },
	{ "22/tcp expires 1h", "", true },
	{ "22/tcp expires 1h", "22/tcp", false },
	{ "", "22/tcp expires 1h", false },
	{ "set a", "", false },
	{ "", "set a", true },
	{ "set a", "set a\nset b", true },
};

static void test_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct pb_rules *wanted = rules_of(pairs[i].wanted);
		struct pb_rules *in_force = rules_of(pairs[i].in_force);

		if (fleet_rules_same(wanted, in_force) != pairs[i].same)
			fail_msg("'%s' and '%s'", pairs[i].wanted, pairs[i].in_force);
		pb_rules_free(wanted);
		pb_rules_free(in_force);
	}
}

/* ---- What was before -------------------------------------------------------------------------- */

static void test_before(void **state)
{
	struct pb_rules *rules = rules_of("policy deny\nset bans\nallow 22/tcp from @bans"), *read;
	struct pb_error error = { "" };
	struct fleet_revision *revision;

	(void)state;
	assert_false(fleet_before_is_there(folder, "default"));
	assert_null(fleet_before_revision(folder, "default", "web"));
	assert_int_equal(fleet_before_keep(folder, "default", rules, &error), 0);
	assert_true(fleet_before_is_there(folder, "default"));
	assert_int_equal(fleet_before_read(folder, "default", &read, &error), 0);
	assert_true(fleet_rules_same(rules, read));
	revision = fleet_before_revision(folder, "default", "web");
	assert_non_null(revision);
	assert_int_equal(revision->revision, 0);
	assert_true(fleet_is_hash(revision->id));
	assert_non_null(strstr(revision->file, "policy deny"));
	fleet_revision_free(revision);
	pb_rules_free(read);
	pb_rules_free(rules);
	fleet_before_forget(folder, "default");
	assert_false(fleet_before_is_there(folder, "default"));
	assert_int_equal(fleet_before_read(folder, "default", &read, &error), -EIO);
	assert_non_null(strstr(error.text, "the rules from before"));
}

/* ---- What is known --------------------------------------------------------------------------- */

static void test_memory(void **state)
{
	struct fleet_memory memory = { .local = "default" }, read = { .local = "default" };
	struct fleet_memory other = { .local = "other" };
	char path[FLEET_PATH_MAX];
	struct pb_error error = { "" };

	(void)state;
	memset(memory.id, 'a', FLEET_HASH_LEN - 1);
	memory.in_force = 12;
	memory.generation = 99;
	memory.boot = strdup("a boot");
	memory.reason = strdup("no \"reason\"");
	memory.attempts = 2;
	assert_int_equal(fleet_memory_write(folder, &memory, &error), 0);
	assert_int_equal(fleet_memory_read(folder, &read), 0);
	assert_string_equal(read.id, memory.id);
	assert_int_equal(read.in_force, 12);
	assert_int_equal(read.generation, 99);
	assert_int_equal(read.attempts, 2);
	assert_string_equal(read.boot, "a boot");
	assert_string_equal(read.reason, "no \"reason\"");
	assert_string_equal(read.failed_id, "");
	fleet_memory_clear(&memory);
	fleet_memory_clear(&read);
	/* Of another ruleset, and garbage: nothing is known. */
	assert_int_equal(fleet_memory_read(folder, &other), 0);
	assert_int_equal(other.in_force, 0);
	assert_int_equal(fleet_file_write(folder, "other", ".json", "{", true, path, &error), 0);
	assert_int_equal(fleet_memory_read(folder, &other), 0);
	assert_int_equal(other.in_force, 0);
}

static mode_t mode_of(const char *path)
{
	struct stat about;

	assert_int_equal(stat(path, &about), 0);
	return about.st_mode & 07777;
}

/* Folders that are not there are made; its own is for nobody else. */
static void test_folder(void **state)
{
	struct fleet_memory memory = { .local = "default" };
	static const struct wrong wrong = { "a file in the way", "cannot make the folder", "file" };
	char above[64], deep[64], path[FLEET_PATH_MAX];
	struct pb_error error = { "" };

	(void)state;
	umask(022);
	snprintf(above, sizeof(above), "%s/above", folder);
	snprintf(deep, sizeof(deep), "%s/above/it", folder);
	assert_int_equal(fleet_memory_write(deep, &memory, &error), 0);
	assert_int_equal(fleet_memory_write(deep, &memory, &error), 0);
	assert_int_equal(mode_of(above), 0755);
	assert_int_equal(mode_of(deep), 0700);
	assert_int_equal(fleet_file_write(folder, "file", "", "", false, path, &error), 0);
	snprintf(deep, sizeof(deep), "%s/file/it", folder);
	assert_says(&wrong, fleet_memory_write(deep, &memory, &error), -ENOTDIR, &error);
	assert_int_equal(fleet_memory_read(deep, &memory), 0);
}

/* Whoever may write there would say which rules are in force. */
static void test_open_folder(void **state)
{
	static const struct wrong group = { "group", "others than its owner may write",
					    "chmod go-w" },
				  stranger = { "stranger", "belongs to somebody else",
					       "user 4711" };
	struct fleet_memory memory = { .local = "default" };
	char open[64];
	struct pb_error error = { "" };

	(void)state;
	snprintf(open, sizeof(open), "%s/open", folder);
	assert_int_equal(fleet_memory_write(open, &memory, &error), 0);
	assert_int_equal(chmod(open, 0770), 0);
	assert_says(&group, fleet_memory_write(open, &memory, &error), -EPERM, &error);
	assert_int_equal(chmod(open, 0755), 0);
	assert_int_equal(fleet_memory_write(open, &memory, &error), 0);
	if (geteuid())
		return; /* to nobody else can it be given */
	assert_int_equal(chown(open, 4711, 4711), 0);
	assert_says(&stranger, fleet_memory_write(open, &memory, &error), -EPERM, &error);
}

/* ---- The check-command ----------------------------------------------------------------------- */

/* A kernel before 5.9. */
static void without_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
}

static void nothing(void *context)
{
	(void)context;
}

/* Does the command have nothing but its three? */
static int has_nothing(bool old_kernel)
{
	char *words[] = { (char *)"/bin/sh", (char *)"-c", (char *)"! (: >&9) 2>/dev/null", NULL };
	const struct fleet_list list = { words, 3 };
	const struct fleet_meanwhile meanwhile = { nothing, NULL };
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (dup2(2, 9) != 9)
			_exit(78);
		if (old_kernel)
			without_close_range();
		_exit(fleet_command_run(&list, 60000, &meanwhile, NULL) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_descriptors(void **state)
{
	(void)state;
	assert_int_equal(has_nothing(false), 0);
	assert_int_equal(has_nothing(true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	    cmocka_unit_test(test_turns),
		cmocka_unit_test(test_garbage),	    cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_right_files), cmocka_unit_test(test_same),
		cmocka_unit_test(test_memory),	    cmocka_unit_test(test_folder),
		cmocka_unit_test(test_outdated),    cmocka_unit_test(test_before),
		cmocka_unit_test(test_open_folder), cmocka_unit_test(test_descriptors),
	};
	char command[64];
	int ret;

	if (!mkdtemp(folder))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : ret;
}
