/* SPDX-License-Identifier: GPL-2.0-only */
/* Replays the corpus of a fuzzer of text in a folder of its own, for the unit tests: behind cmocka.h and readers.h. */
#ifndef REPLAY_H
#define REPLAY_H

#define INPUT_MAX 65536

typedef const char *check_function(const void *data, size_t size, bool *taken);

static char top[PATH_MAX];
static char folder[] = "/tmp/pb-readers.XXXXXX";

static inline bool replay_input(const char *path, const char *name, check_function *check)
{
	static char data[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	const char *wrong;
	bool taken;
	size_t size;

	assert_non_null(file);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	wrong = check(data, size, &taken);
	if (!wrong && strncmp(name, taken ? "no-" : "ok-", 3) == 0)
		wrong = "taken or refused, not as its name says";
	if (wrong)
		print_error("%s: %s\n", path, wrong);
	return !wrong;
}

static inline void replay(const char *corpus, check_function *check)
{
	char path[PATH_MAX + NAME_MAX + 64];
	const struct dirent *entry;
	size_t nr = 0, right = 0;
	DIR *inputs;

	snprintf(path, sizeof(path), "%s/tests/fuzz/%s", top, corpus);
	inputs = opendir(path);
	assert_non_null(inputs);
	while ((entry = readdir(inputs))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/tests/fuzz/%s/%s", top, corpus, entry->d_name);
		right += replay_input(path, entry->d_name, check);
		nr++;
	}
	closedir(inputs);
	assert_true(nr >= 20);
	assert_int_equal(right, nr);
}

static inline int enter_folder(void **state)
{
	(void)state;
	if (!realpath(getenv("TOP") ?: ".", top) || !mkdtemp(folder) || chdir(folder))
		return -1;
	fill_folder();
	return 0;
}

static inline int leave_folder(void **state)
{
	const struct dirent *entry;
	char path[NAME_MAX + 16];
	DIR *all = opendir(".");

	(void)state;
	if (!all)
		return -1;
	/* A folder of theirs has one file. */
	while ((entry = readdir(all))) {
		snprintf(path, sizeof(path), "%s/x.rules", entry->d_name);
		if (*entry->d_name != '.' && unlink(entry->d_name) && !unlink(path))
			rmdir(entry->d_name);
	}
	closedir(all);
	return chdir(top) || rmdir(folder);
}

#endif
