// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet forget: a host that was taken out of service is no longer shown as gone. */
#include "fleet.h"
#include "fleet/survey.h"

int fleet_forget(const struct arguments *arguments, const struct fleet_conf *conf)
{
	const char *host = arguments->nr_words ? arguments->words[0] : NULL;
	struct fleet_etcd *etcd;
	struct pb_error error;
	int ret = DONE;

	if (!host)
		return wrong(arguments, "forget which HOST?");
	if (arguments->nr_words > 1)
		return wrong(arguments, "'%s' is one word too many", arguments->words[1]);
	if (fleet_host_check(host, &error))
		return wrong(arguments, "%s", error.text);
	if (fleet_etcd_open(conf, &etcd, &error))
		return fail(&error);
	if (fleet_forget_host(etcd, conf, host, &error))
		ret = fail(&error);
	fleet_etcd_close(etcd);
	return ret;
}
