// SPDX-License-Identifier: GPL-2.0-only
/* The lock-out guard: a change that would cut the SSH connection it is given through. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tool.h"

#define ANCESTORS_MAX 32

struct ssh {
	struct pb_connection connection;
	char client[64]; /* as it is written */
};

/* The interface of fe80::1%eth0; 0: none is said, or it is none of this network namespace. */
static int scope_of(const char *text)
{
	const char *scope = strchr(text, '%');
	int ifindex;

	return scope && !pb_interface_index(scope + 1, &ifindex, NULL) ? ifindex : 0;
}

/* A host as a prefix of full length; IPv4-mapped addresses are IPv4 on the wire. */
static bool host_of(const char *text, struct pb_prefix *host)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	char plain[64];

	snprintf(plain, sizeof(plain), "%s", text);
	plain[strcspn(plain, "%")] = '\0';
	memset(host, 0, sizeof(*host));
	if (inet_pton(AF_INET, plain, host->addr) == 1) {
		host->family = 4;
		host->len = 32;
		return true;
	}
	if (inet_pton(AF_INET6, plain, host->addr) != 1)
		return false;
	host->family = 6;
	host->len = 128;
	if (!memcmp(host->addr, mapped, sizeof(mapped))) {
		memmove(host->addr, host->addr + 12, 4);
		memset(host->addr + 4, 0, 12);
		host->family = 4;
		host->len = 32;
	}
	return true;
}

/* "CLIENT PORT SERVER PORT", as sshd writes it. */
static bool parse_ssh(const char *text, struct ssh *ssh)
{
	struct pb_connection *connection = &ssh->connection;
	unsigned int client_port, server_port;
	char server[64];

	if (sscanf(text, "%63s %u %63s %u", ssh->client, &client_port, server, &server_port) != 4 ||
	    client_port > 65535 || server_port > 65535 ||
	    !host_of(ssh->client, &connection->client) || !host_of(server, &connection->server) ||
	    connection->client.family != connection->server.family)
		return false;
	connection->client_port = client_port;
	connection->server_port = server_port;
	connection->scope = scope_of(server);
	return true;
}

/*
 * A file that tells of a process; NULL and 0: the process is gone, or hidden from us by its user or
 * by the way /proc is mounted; NULL and an error: there is one that could not be read.
 */
static int open_of_process(long pid, const char *name, FILE **file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	*file = fopen(path, "re");
	if (*file || errno == ENOENT || errno == ESRCH || errno == EACCES || errno == EPERM)
		return 0;
	return -errno;
}

/*
 * SSH_CONNECTION in the environment of a process: sudo clears its own child's. 1: it has one, 0: it
 * has none, or an error.
 */
static int ssh_of_process(long pid, struct ssh *ssh)
{
	char *entry = NULL;
	size_t room = 0;
	FILE *file;
	int ret = open_of_process(pid, "environ", &file);

	if (!file)
		return ret;
	errno = 0;
	while (!ret && getdelim(&entry, &room, '\0', file) > 0)
		ret = !strncmp(entry, "SSH_CONNECTION=", 15) && parse_ssh(entry + 15, ssh);
	if (!ret && errno == ENOMEM)
		ret = -ENOMEM;
	free(entry);
	fclose(file);
	return ret;
}

/* 0: it has none, or an error. */
static long parent_of(long pid)
{
	char line[512], *close;
	long parent = 0;
	FILE *file;
	int ret = open_of_process(pid, "stat", &file);

	if (!file)
		return ret;
	/* The name, in parentheses, may hold anything. */
	if (fgets(line, sizeof(line), file) && (close = strrchr(line, ')')))
		sscanf(close, ") %*c %ld", &parent);
	fclose(file);
	return parent;
}

/*
 * 1: there is a connection, 0: there is none, or an error where that could not be found out. An empty
 * variable says that there is none, whatever the processes above have.
 */
static int find_ssh(struct ssh *ssh)
{
	const char *own = getenv("SSH_CONNECTION");
	long pid = getpid();
	int found = 0;

	if (own && (!*own || parse_ssh(own, ssh)))
		return *own != '\0';
	for (int i = 0; i < ANCESTORS_MAX && pid > 1 && !found; i++) {
		pid = parent_of(pid);
		found = pid > 0 ? ssh_of_process(pid, ssh) : pid;
	}
	return found;
}

bool guarded(void)
{
	struct ssh ssh;

	return find_ssh(&ssh);
}

/* As find_ssh(), with a message. */
static int need_ssh(struct ssh *ssh, const char *way_on, struct pb_error *error)
{
	int ret = find_ssh(ssh);

	if (ret < 0)
		snprintf(error->text, sizeof(error->text),
			 "it cannot be told whether this is given through an SSH connection that "
			 "it would cut (%s); %s",
			 strerror(-ret), way_on);
	return ret;
}

/* `why` of the library's; 0: it would not. */
static int refuse(const struct ssh *ssh, int err, const struct pb_error *why, const char *way_on,
		  struct pb_error *error)
{
	if (!err)
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "this %s cut the SSH connection it is given through (%s to port %u): %s%.500s; %s",
		 err == -ECONNABORTED ? "would" : "may", ssh->client, ssh->connection.server_port,
		 err == -ECONNABORTED ? "" : "it cannot be told, since ", why->text, way_on);
	return -1;
}

int guard(const struct pb_prospect *prospect, const char *way_on, struct pb_error *error)
{
	struct pb_error found;
	struct ssh ssh;
	int ret = need_ssh(&ssh, way_on, error);

	if (ret <= 0)
		return ret;
	ret = pb_connection_check(&ssh.connection, prospect, &found);
	return refuse(&ssh, ret, &found, way_on, error);
}

int guard_sources(struct pb_prefix sources[GUARD_SOURCES], size_t *nr, const char *way_on,
		  struct pb_error *error)
{
	struct pb_error found;
	struct ssh ssh;
	int ret = need_ssh(&ssh, way_on, error);

	*nr = 0;
	if (ret <= 0)
		return ret;
	ret = pb_connection_sources(&ssh.connection, sources, &found);
	if (!ret)
		*nr = GUARD_SOURCES;
	return refuse(&ssh, ret, &found, way_on, error);
}

int guard_ruleset(const struct pb_ruleset *ruleset, const struct pb_rules *rules,
		  const char *way_on, struct pb_error *error)
{
	return guard_with_set(ruleset, rules, NULL, way_on, error);
}

int guard_with_set(const struct pb_ruleset *ruleset, const struct pb_rules *rules,
		   const struct pb_set_prospect *set, const char *way_on, struct pb_error *error)
{
	struct pb_ruleset_options limits = { .size = sizeof(limits) };
	const struct pb_prospect prospect = {
		.size = sizeof(prospect),
		.ruleset = pb_ruleset_name(ruleset),
		.rules = rules,
		.limits = &limits,
		.sets = set,
		.nr_sets = set ? 1 : 0,
	};

	return pb_ruleset_limits(ruleset, &limits, error) ?: guard(&prospect, way_on, error);
}
