// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include "fleet/spared.h"

/* ---- Addresses ----------------------------------------------------------------------------- */

/* IPv4-mapped ones are IPv4 on the wire. */
static bool read_host(const char *address, struct pb_prefix *host)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	char plain[64];

	*host = (struct pb_prefix){ .family = 4, .len = 32 };
	snprintf(plain, sizeof(plain), "%s", address);
	plain[strcspn(plain, "%")] = '\0'; /* fe80::1%eth0 */
	if (inet_pton(AF_INET, plain, host->addr) == 1)
		return true;
	if (inet_pton(AF_INET6, plain, host->addr) != 1)
		return false;
	if (memcmp(host->addr, mapped, sizeof(mapped))) {
		host->family = 6;
		host->len = 128;
		return true;
	}
	memmove(host->addr, host->addr + 12, 4);
	memset(host->addr + 4, 0, 12);
	return true;
}

static bool is_in(const struct pb_prefix *host, const struct pb_prefix *prefix)
{
	size_t bytes = prefix->len / 8, bits = prefix->len % 8;

	if (host->family != prefix->family || memcmp(host->addr, prefix->addr, bytes))
		return false;
	return !bits || !((host->addr[bytes] ^ prefix->addr[bytes]) >> (8 - bits));
}

const struct pb_prefix *fleet_spared_in(const struct fleet_spared *spared,
					const struct pb_prefix *prefix)
{
	for (size_t i = 0; i < spared->nr; i++)
		if (is_in(&spared->hosts[i], prefix))
			return &spared->hosts[i];
	return NULL;
}

void fleet_spared_add(struct fleet_spared *spared, const char *address)
{
	struct pb_prefix host;

	if (!read_host(address, &host) || fleet_spared_in(spared, &host))
		return;
	spared->hosts[spared->next] = host;
	spared->next = (spared->next + 1) % FLEET_SPARED_MAX;
	if (spared->nr < FLEET_SPARED_MAX)
		spared->nr++;
	spared->changes++;
}

/* ---- Endpoints ----------------------------------------------------------------------------- */

/* Of "https://etcd1:2379" and "https://[fd00::1]:2379". */
static void host_of(const char *endpoint, char host[NI_MAXHOST])
{
	const char *begin = strstr(endpoint, "://") + 3;
	bool bracket = *begin == '[';

	snprintf(host, NI_MAXHOST, "%s", begin + bracket);
	host[strcspn(host, bracket ? "]" : ":")] = '\0';
}

static void resolve(struct fleet_spared *spared, const char *name)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	char address[NI_MAXHOST];

	if (getaddrinfo(name, NULL, &hints, &list))
		return;
	for (const struct addrinfo *at = list; at; at = at->ai_next)
		if (!getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address), NULL, 0,
				 NI_NUMERICHOST))
			fleet_spared_add(spared, address);
	freeaddrinfo(list);
}

void fleet_spared_resolve(struct fleet_spared *spared, const struct fleet_conf *conf)
{
	struct pb_prefix literal;
	char host[NI_MAXHOST];

	for (size_t i = 0; i < conf->endpoints.nr; i++) {
		host_of(conf->endpoints.texts[i], host);
		if (read_host(host, &literal))
			fleet_spared_add(spared, host);
		else
			resolve(spared, host);
	}
}

/* ---- What a set is for --------------------------------------------------------------------- */

static bool names(char *const *sets, size_t nr, const char *set)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(sets[i], set))
			return true;
	return false;
}

bool fleet_set_lets_in(const struct pb_rules *rules, const char *set)
{
	bool lets_in = false;

	for (size_t i = 0; i < pb_rules_nr(rules); i++) {
		const struct pb_rule *rule = pb_rules_at(rules, i);
		bool from = names(rule->from_sets, rule->nr_from_sets, set);
		bool except = names(rule->except_sets, rule->nr_except_sets, set);
		bool allows = rule->action == PB_ACTION_ALLOW;

		if (rule->action == PB_ACTION_AUDIT)
			continue;
		if (allows ? except : from)
			return false;
		lets_in |= from || except;
	}
	return lets_in;
}
