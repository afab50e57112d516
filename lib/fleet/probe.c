// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fleet/error.h"
#include "fleet/etcd.h"
#include "fleet/http.h"
#include "fleet/probe.h"

#define PAUSE_MS 200
/* One attempt at all endpoints: between two of them there is something else to be done. */
#define ATTEMPT_MS 10000
#define MEANWHILE_MS 1000

/* ---- The check-command --------------------------------------------------------------------- */

/* Sockets to etcd, too: not all that libcurl opens is closed by execve(). Before Linux 5.9 one after the other. */
static void close_all(void)
{
	long most = sysconf(_SC_OPEN_MAX);

	if (!syscall(SYS_close_range, 3U, ~0U, 0U))
		return;
	for (int fd = 3; fd < most; fd++)
		close(fd);
}

/* In the child; what it says goes where our own messages go. */
static void become(const struct fleet_list *words, char **argv)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null >= 0) {
		dup2(null, 0);
		dup2(2, 1);
	}
	close_all();
	execv(words->texts[0], argv);
	_exit(127);
}

static int least(long long a, long long b)
{
	return (int)(a < b ? a : b);
}

/* Waits for its end; false: time is over. */
static bool ends_within(pid_t pid, long long ms, const struct fleet_meanwhile *meanwhile,
			int *status)
{
	long long end = fleet_now_ms() + ms;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0U);
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	pid_t got;

	while (!(got = waitpid(pid, status, WNOHANG))) {
		long long left = end - fleet_now_ms();

		if (left <= 0)
			break;
		/* A kernel without pidfd_open() (before 5.3): look again and again. */
		poll(&waiting, fd >= 0, least(left, fd >= 0 ? MEANWHILE_MS : 20));
		meanwhile->call(meanwhile->context);
	}
	if (fd >= 0)
		close(fd);
	return got;
}

static int judge(const char *name, int status, struct pb_error *error)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status))
		return fleet_fail(error, ECANCELED, "check-command %s ended with status %d%s", name,
				  WEXITSTATUS(status),
				  WEXITSTATUS(status) == 127 ? ": is it there?" : "");
	return fleet_fail(error, ECANCELED, "check-command %s was ended by signal %d", name,
			  WTERMSIG(status));
}

int fleet_command_run(const struct fleet_list *words, long long ms,
		      const struct fleet_meanwhile *meanwhile, struct pb_error *error)
{
	char **argv = calloc(words->nr + 1, sizeof(*argv));
	int status = 0;
	pid_t pid;

	if (!argv)
		return fleet_fail_memory(error);
	memcpy(argv, words->texts, words->nr * sizeof(*argv));
	pid = fork();
	if (!pid)
		become(words, argv);
	free(argv);
	if (pid < 0)
		return fleet_fail(error, errno, "cannot run check-command %s: %s", words->texts[0],
				  strerror(errno));
	if (ends_within(pid, ms, meanwhile, &status))
		return judge(words->texts[0], status, error);
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return fleet_fail(error, ETIMEDOUT, "check-command %s did not end in time",
			  words->texts[0]);
}

/* ---- etcd ---------------------------------------------------------------------------------- */

static int reach(const struct fleet_conf *conf, const char *key, long long ms,
		 struct pb_error *error)
{
	struct fleet_etcd *etcd;
	struct fleet_kv *kv;
	int err = fleet_etcd_open(conf, &etcd, error);

	if (err)
		return err;
	ms = least(ms, ATTEMPT_MS) / (int)conf->endpoints.nr; /* each may have to be asked */
	fleet_etcd_limit(etcd, ms > PAUSE_MS ? (long)ms : PAUSE_MS);
	err = fleet_etcd_get(etcd, key, 0, &kv, NULL, error);
	if (!err)
		fleet_kvs_free(kv, 1);
	fleet_etcd_close(etcd);
	return err;
}

int fleet_probe(const struct fleet_conf *conf, const char *key, long long ms,
		const struct fleet_meanwhile *meanwhile, struct pb_error *error)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000 };
	long long begin = fleet_now_ms(), end = begin + ms, tried;
	struct pb_error why;
	int err;

	while ((err = reach(conf, key, end - fleet_now_ms(), &why)) && fleet_now_ms() < end) {
		meanwhile->call(meanwhile->context);
		nanosleep(&pause, NULL);
	}
	tried = fleet_now_ms() - begin;
	/* `why` is of the last attempt, which has what the others have left it. */
	if (err)
		return fleet_fail(error, -err,
				  "under these rules etcd was not reached in %lld.%lld s: %s",
				  tried / 1000, tried / 100 % 10, why.text);
	if (!conf->command.nr)
		return 0;
	return fleet_command_run(&conf->command, end - fleet_now_ms(), meanwhile, error);
}
