// SPDX-License-Identifier: GPL-2.0-only
/* The lock-out guard: a change that would cut the SSH connection it is given through. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tool.h"

#define ANCESTORS_MAX 32

struct ssh {
	char client[64];
	char server[64];
	unsigned int client_port;
	unsigned int server_port;
};

static bool parse_ssh(const char *text, struct ssh *ssh)
{
	return sscanf(text, "%63s %u %63s %u", ssh->client, &ssh->client_port, ssh->server,
		      &ssh->server_port) == 4 &&
	       ssh->client_port <= 65535 && ssh->server_port <= 65535;
}

/* SSH_CONNECTION in the environment of a process: sudo clears its own child's. */
static bool ssh_of_process(long pid, struct ssh *ssh)
{
	char path[64], *entry = NULL;
	bool found = false;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/environ", pid);
	file = fopen(path, "re");
	while (file && !found && getdelim(&entry, &room, '\0', file) > 0)
		found = !strncmp(entry, "SSH_CONNECTION=", 15) && parse_ssh(entry + 15, ssh);
	free(entry);
	if (file)
		fclose(file);
	return found;
}

static long parent_of(long pid)
{
	char path[64], line[512], *close;
	long parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	/* The name, in parentheses, may hold anything. */
	if (file && fgets(line, sizeof(line), file) && (close = strrchr(line, ')')))
		sscanf(close, ") %*c %ld", &parent);
	if (file)
		fclose(file);
	return parent;
}

static bool find_ssh(struct ssh *ssh)
{
	const char *own = getenv("SSH_CONNECTION");
	long pid = getpid();

	if (own && parse_ssh(own, ssh))
		return true;
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		pid = parent_of(pid);
		if (pid > 0 && ssh_of_process(pid, ssh))
			return true;
	}
	return false;
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

static bool has_address(const struct ifaddrs *entry, const struct pb_prefix *host)
{
	const struct sockaddr *address = entry->ifa_addr;

	if (address && address->sa_family == AF_INET && host->family == 4)
		return !memcmp(&((const struct sockaddr_in *)address)->sin_addr, host->addr, 4);
	if (address && address->sa_family == AF_INET6 && host->family == 6)
		return !memcmp(&((const struct sockaddr_in6 *)address)->sin6_addr, host->addr, 16);
	return false;
}

/* The interface with the address; 0 where it is none of this namespace. */
static int interface_with(const struct pb_prefix *host)
{
	struct ifaddrs *list, *entry;
	int ifindex = 0;

	if (getifaddrs(&list))
		return 0;
	for (entry = list; entry && !ifindex; entry = entry->ifa_next)
		if (has_address(entry, host))
			pb_interface_index(entry->ifa_name, &ifindex, NULL);
	freeifaddrs(list);
	return ifindex;
}

static int refuse(const struct ssh *ssh, const struct pb_rule *rule, struct pb_error *error)
{
	char *text = NULL;

	if (rule && pb_rule_format(rule, pb_clock(), &text))
		text = NULL;
	snprintf(error->text, sizeof(error->text),
		 "this would cut the SSH connection it is given through (%s to port %u): %s%s%s; "
		 "--confirm 60s tries it and comes back by itself, --force does it",
		 ssh->client, ssh->server_port, rule ? "by the rule `" : "by policy deny",
		 rule ? text ?: "?" : "", rule ? "`" : "");
	free(text);
	return -1;
}

int guard_interfaces(const struct pb_set *set, const int *ifindexes, size_t nr,
		     struct pb_error *error)
{
	struct pb_flow flow = { .proto = PB_PROTO_TCP, .connected = true };
	const struct pb_rule *rule;
	struct pb_prefix server;
	enum pb_outcome outcome;
	struct ssh ssh;
	int through;

	if (!find_ssh(&ssh) || !host_of(ssh.client, &flow.source) || !host_of(ssh.server, &server))
		return 0;
	flow.sport = ssh.client_port;
	flow.dport = ssh.server_port;
	through = interface_with(&server);
	for (size_t i = 0; i < nr; i++) {
		if (ifindexes[i] != through)
			continue;
		outcome = pb_set_judge(set, &flow, pb_clock(), &rule);
		if (outcome == PB_OUTCOME_DROP_RULE || outcome == PB_OUTCOME_DROP_POLICY)
			return refuse(&ssh, rule, error);
	}
	return 0;
}

int guard(const struct pb_ruleset *ruleset, const struct pb_set *set, struct pb_error *error)
{
	struct pb_interface *interfaces;
	int ret = 0;
	size_t nr;

	if (pb_interface_list(&interfaces, &nr, error))
		return -1;
	for (size_t i = 0; !ret && i < nr; i++)
		if (!strcmp(interfaces[i].ruleset, pb_ruleset_name(ruleset)))
			ret = guard_interfaces(set, &interfaces[i].ifindex, 1, error);
	free(interfaces);
	return ret;
}
